"""Validates one CSV file, in a child process: whatever the file holds, the answer is a verdict with findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from consumers.ingest.csv_structure import check_structure
from consumers.ingest.findings import Findings
from consumers.ingest.protocol import ColumnProfile, CsvLimits, ValidateRequest, ValidationResult


def run(payload: Mapping[str, Any], report: Callable[[str, float], None]) -> dict[str, Any]:
    request = ValidateRequest.model_validate(payload)
    return check_csv(Path(request.path), request.limits, report).model_dump(mode="json")


def check_csv(path: Path, limits: CsvLimits, report: Callable[[str, float], None]) -> ValidationResult:
    findings = Findings()
    report("reading", 0.0)
    structure = check_structure(path, limits, findings)
    if not findings.errors and structure.rows < limits.min_rows:
        message = f"{structure.rows} rows, at least {limits.min_rows} are needed"
        findings.add("too_few_rows", message, count=structure.rows)
    columns: tuple[ColumnProfile, ...] = ()
    if not findings.errors:
        report("profiling", 0.5)
        columns = _profile(path, structure.names, structure.rows, limits, findings)
    return ValidationResult(valid=not findings.errors, rows=structure.rows, columns=columns, report=findings.report())


def _profile(
    path: Path, names: tuple[str, ...], rows: int, limits: CsvLimits, findings: Findings
) -> tuple[ColumnProfile, ...]:
    from consumers.ingest import csv_profile  # polars takes its time; a file that is no table needs none of it
    from consumers.table_reader.cells import row_count, scan

    frame = scan(path, len(names))
    if row_count(frame) != rows:
        findings.add("ambiguous", "two CSV readers disagree on where the rows end; quote the fields")
        return ()
    columns = tuple(csv_profile.profile(frame, names, rows, findings))
    empty = sum(column.empty for column in columns) / (rows * len(columns))
    if empty > limits.max_empty_ratio:
        message = f"{empty:.0%} of all cells are empty, {limits.max_empty_ratio:.0%} allowed"
        findings.add("too_many_empty", message, count=sum(column.empty for column in columns))
    return columns
