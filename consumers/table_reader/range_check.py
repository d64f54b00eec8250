"""Numbers that are too large to compute with are refused with their column and rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from consumers.table_reader.cells import Evidence, collect_evidence, place_name
from consumers.table_reader.rules import LARGEST_NUMBER
from consumers.work.child import ChildRefusal
from schemas.bounds import cut
from schemas.datasets import Column


def is_out_of_range(value: pl.Expr) -> pl.Expr:
    """Whether a number is too large to be squared and summed."""
    return value.abs() > LARGEST_NUMBER


def check_range(path: Path, columns: Sequence[Column], frame: pl.DataFrame) -> None:
    """Raises Refusal `user_data/out_of_range`; the frame has the file's columns by their places."""
    numeric = ("integer", "number")
    numbers = [place for place, column in enumerate(columns) if column.type in numeric]
    if not numbers:
        return
    sums = [is_out_of_range(pl.col(place_name(place))).sum() for place in numbers]
    for place, count in zip(numbers, frame.select(sums).row(0), strict=True):
        if count:
            name = place_name(place)
            evidence = Evidence(name, is_out_of_range(pl.col(name).cast(pl.Float64, strict=False)))
            collect_evidence(path, len(columns), [evidence])
            message = _message(columns[place].name, count, evidence)
            raise ChildRefusal("user_data", "out_of_range", message)


def _message(column: str, count: int, evidence: Evidence) -> str:
    rows = ", ".join(map(str, evidence.rows)) + (" …" if count > len(evidence.rows) else "")
    samples = ", ".join(cut(sample, 30) for sample in evidence.samples)
    return (
        f"{count} numbers of the column {cut(column, 200)!r} are beyond {LARGEST_NUMBER:g} and too "
        f"large to compute with: {samples} (row {rows}); correct them, leave them empty, or write "
        "the column in a larger unit"
    )
