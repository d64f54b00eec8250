"""Validates one CSV file, in a child process: whatever the file holds, the answer is a verdict
with findings.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from consumers.ingest.csv_structure import Structure, check_structure
from consumers.ingest.findings import MAX_SAMPLES, Findings
from consumers.ingest.protocol import (
    ColumnProfile,
    Severity,
    ValidateRequest,
    ValidationResult,
)
from schemas.datasets import Reading
from schemas.names import normal_name


def run(payload: Mapping[str, Any], report: Callable[[str, float], None]) -> dict[str, Any]:
    request = ValidateRequest.model_validate(payload)
    return check(request, report).model_dump(mode="json")


def check(request: ValidateRequest, report: Callable[[str, float], None]) -> ValidationResult:
    """The verdict: valid without an error among the findings."""
    findings, limits = Findings(), request.limits
    request = request.model_copy(update={"reading": _by_normal_names(request.reading)})
    report("reading", 0.0)
    structure = check_structure(Path(request.path), limits, findings)
    if not findings.errors and structure.rows < limits.min_rows:
        message = f"{structure.rows} rows, at least {limits.min_rows} are needed"
        findings.add("too_few_rows", message, count=structure.rows)
    columns: tuple[ColumnProfile, ...] = ()
    if not findings.errors:
        _check_types(request, structure.names, findings)
        report("profiling", 0.5)
        columns = _profile(request, structure, findings)
    return ValidationResult(
        valid=not findings.errors, rows=structure.rows, columns=columns, report=findings.report()
    )


def _by_normal_names(reading: Reading) -> Reading:
    if not reading.types:
        return reading
    types = {normal_name(name): kind for name, kind in reading.types.items()}
    return reading.model_copy(update={"types": types})


def _check_types(request: ValidateRequest, names: tuple[str, ...], findings: Findings) -> None:
    """A column that is not there is an error with the upload that named it, later on a warning."""
    for name in request.reading.types or ():
        if name in names:
            continue
        near = difflib.get_close_matches(name, names, 1)
        message = "types= names a column that the file has not" + (
            f"; did you mean {near[0]!r}?" if near else ""
        )
        severity: Severity = "warning" if request.is_remembered else "error"
        findings.add("unknown_column", message, severity=severity, column=name, row=1, sample=name)


def _profile(
    request: ValidateRequest, structure: Structure, findings: Findings
) -> tuple[ColumnProfile, ...]:
    from consumers.ingest import (
        csv_profile,
    )  # polars takes its time; a file that is no table needs none of it
    from consumers.table_reader.cells import row_count, scan

    path, names, rows = Path(request.path), structure.names, structure.rows
    if row_count(scan(path, len(names))) != rows:
        message = "two CSV readers disagree on where the rows end; quote the fields"
        findings.add("ambiguous", message)
        return ()
    columns = csv_profile.profile(path, names, rows, request.reading, findings)
    empty = sum(column.empty for column in columns)
    share, allowed = empty / (rows * len(columns)), request.limits.max_empty_ratio
    if share > allowed:
        message = f"{share:.0%} of all cells are empty, {allowed:.0%} allowed"
        worst = sorted(columns, key=lambda column: -column.empty)[:MAX_SAMPLES]
        samples = [f"{column.name}: {column.empty} of {rows}" for column in worst]
        findings.add("too_many_empty", message, count=empty, samples=samples)
    words = sum(len(json.dumps(column.missing)) for column in columns)
    if words > request.limits.max_words_bytes:
        message = (
            f"the words that mean an empty cell take {words} bytes over all columns, "
            f"{request.limits.max_words_bytes} are allowed: leave such cells empty"
        )
        findings.add("too_many_words", message, count=words)
    return columns
