"""The second pass: polars streams the file as text, counts what the types are decided by, and
measures.

Nothing is inferred from a sample: a column is what every one of its values is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from consumers.ingest import csv_counts as counts
from consumers.ingest.column_decision import Decision, Observed, Where, decide, observed
from consumers.ingest.column_notes import Note
from consumers.ingest.findings import MAX_FINDINGS, Findings
from consumers.ingest.protocol import ColumnProfile, TopValue
from consumers.table_reader.cells import Evidence, collect_evidence, place_name, scan
from schemas.datasets import Reading

COLUMNS_AT_ONCE = 200
# Above this a column's values are counted approximately only: exact counts would hold each of them
# in memory.
MAX_COUNTED = 1000
Noted = list[tuple[str, Note, Evidence | None]]
"""Column, what is said of it, and where that is seen."""


def profile(
    path: Path, names: Sequence[str], rows: int, reading: Reading, findings: Findings
) -> tuple[ColumnProfile, ...]:
    """Each column's type and figures; what was read otherwise than written becomes findings."""
    noted: Noted = []
    frame = scan(path, len(names))
    columns: list[ColumnProfile] = []
    # A bounded number of columns per pass, so that a wide file does not become a huge query.
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        places = range(start, min(start + COLUMNS_AT_ONCE, len(names)))
        part = {place_name(place): observed(names[place], rows, reading) for place in places}
        columns += _part(frame, part, noted)
    noted = sorted(noted, key=lambda one: one[1].severity != "error")[:MAX_FINDINGS]
    evidence = [one for _, _, one in noted if one is not None]
    collect_evidence(path, len(names), evidence)
    for name, note, found in noted:
        findings.add(
            note.rule,
            note.message,
            severity=note.severity,
            column=name,
            count=note.count,
            rows=found.rows if found else (),
            samples=found.samples if found else (),
        )
    return tuple(columns)


def _part(frame: pl.LazyFrame, part: dict[str, Observed], noted: Noted) -> Iterator[ColumnProfile]:
    counts.count(frame, part)
    figures = counts.measure(frame, part)
    counts.look_closer(frame, part)
    decisions = {place: decide(one) for place, one in part.items()}
    for place, one in part.items():
        for note, where in decisions[place].notes:
            evidence = None if where is None else Evidence(place, _predicate(place, one, where))
            noted.append((one.name, note, evidence))
    counted = {place: one for place, one in part.items() if _countable(one, decisions[place])}
    tops = counts.tops(frame, counted)
    for place, one in part.items():
        yield _column(one, decisions[place], figures.get(place, {}), tops.get(place, ()))


def _predicate(place: str, one: Observed, where: Where) -> pl.Expr:
    """Where a note is to be seen; null is not."""
    cell = pl.col(place)
    match where:
        case "words":
            return cell.is_in([*one.spelled])
        case "unfit":
            return counts.values(place, one).is_not_null() & ~counts.fits(place, one)
        case "filled":
            return counts.values(place, one).is_not_null()
        case "zeros" | "plus" | "long" | "far" | "exponents" | "decorated":
            return counts.SPECIAL[where](counts.values(place, one))


def _countable(one: Observed, decision: Decision) -> bool:
    return decision.kind in ("text", "boolean") and 0 < one.distinct <= MAX_COUNTED


def _column(
    one: Observed, decision: Decision, figures: dict[str, float | None], top: tuple[TopValue, ...]
) -> ColumnProfile:
    measured: dict[str, Any] = {}
    if decision.kind in ("integer", "number"):
        measured = {name: _finite(value) for name, value in figures.items()}
    return ColumnProfile(
        name=one.name,
        type=decision.kind,
        empty=one.rows - one.values,
        distinct=min(one.distinct, one.values),
        top=top,
        missing=decision.missing,
        looks_like=decision.looks_like,
        **measured,
    )


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
