"""The second pass: polars streams the file as text, decides each column's type over all rows, and measures it.

Nothing is inferred from a sample: a column is what every one of its values is.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from consumers.ingest.findings import Findings
from consumers.ingest.protocol import ColumnProfile, TopValue
from consumers.table_reader.cells import place_name, without
from consumers.table_reader.rules import MISSING_OF_READER_1
from schemas.bounds import cut
from schemas.datasets import ColumnType

COLUMNS_AT_ONCE = 200
TOP_VALUES = 5
TOP_VALUE_BYTES = 200
# Above this a column's values are counted approximately only: exact counts would hold each of them in memory.
MAX_COUNTED = 1000
MOSTLY = 0.8


def profile(frame: pl.LazyFrame, names: Sequence[str], rows: int, findings: Findings) -> Iterator[ColumnProfile]:
    """A bounded number of columns per pass, so that a wide file does not become a huge query."""
    places = [place_name(place) for place in range(len(names))]
    frame = frame.select(without(place, MISSING_OF_READER_1) for place in places)
    for start in range(0, len(names), COLUMNS_AT_ONCE):
        some = slice(start, start + COLUMNS_AT_ONCE)
        part = dict(zip(places[some], names[some], strict=True))
        counts = _ask(frame, [expression for place in part for expression in _counts(place)])
        types = {place: _decide(place, name, counts, findings) for place, name in part.items()}
        figures = _ask(frame, [one for place in part for one in _figures(place, types[place])])
        counted = [place for place in part if _countable(types[place], figures[f"distinct:{place}"])]
        tops = _tops(frame, counted)
        for place, name in part.items():
            empty = rows - counts[f"filled:{place}"]
            if empty == rows:
                findings.add("column_empty", "no value in any row", severity="warning", column=name)
            elif figures[f"distinct:{place}"] == 1 and rows > 1:
                findings.add("column_constant", "the same value in all rows", severity="warning", column=name)
            yield _column(place, name, types[place], rows, empty, figures, tops.get(place, ()))


def _ask(frame: pl.LazyFrame, expressions: list[pl.Expr]) -> dict[str, Any]:
    return frame.select(expressions).collect(engine="streaming").row(0, named=True)


def _float(name: str) -> pl.Expr:
    value = pl.col(name).cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)  # inf and overflow are no numbers that can be trained on


def _boolean(name: str) -> pl.Expr:
    return pl.col(name).str.to_lowercase().is_in(["true", "false"])


def _counts(name: str) -> list[pl.Expr]:
    return [
        pl.col(name).count().alias(f"filled:{name}"),
        pl.col(name).cast(pl.Int64, strict=False).count().alias(f"integer:{name}"),
        _float(name).count().alias(f"number:{name}"),
        _boolean(name).sum().alias(f"boolean:{name}"),
    ]


def _decide(place: str, name: str, counts: dict[str, Any], findings: Findings) -> ColumnType:
    filled = counts[f"filled:{place}"]
    kinds: tuple[ColumnType, ...] = ("integer", "number", "boolean")
    for kind in kinds:
        if 0 < filled == counts[f"{kind}:{place}"]:
            return kind
    other = filled - counts[f"number:{place}"]
    if filled and other / filled <= 1 - MOSTLY:
        message = f"read as text, for {other} of {filled} values are not numbers"
        findings.add("mostly_numbers", message, severity="warning", column=name, count=other)
    return "text"


def _figures(name: str, kind: ColumnType) -> list[pl.Expr]:
    # The estimate counts null as one more value.
    asked = [(pl.col(name).approx_n_unique() - pl.col(name).has_nulls()).alias(f"distinct:{name}")]
    if kind in ("integer", "number"):
        value = _float(name)
        asked += [
            value.min().alias(f"min:{name}"),
            value.max().alias(f"max:{name}"),
            value.mean().alias(f"mean:{name}"),
            value.std().alias(f"std:{name}"),
        ]
    return asked


def _countable(kind: ColumnType, distinct: int) -> bool:
    return kind in ("text", "boolean") and 0 < distinct <= MAX_COUNTED


def _column(
    place: str, name: str, kind: ColumnType, rows: int, empty: int, figures: dict[str, Any],
    top: tuple[TopValue, ...],
) -> ColumnProfile:  # fmt: skip
    distinct = min(figures[f"distinct:{place}"], rows - empty)
    measured = {key: _finite(figures.get(f"{key}:{place}")) for key in ("min", "max", "mean", "std")}
    return ColumnProfile(name=name, type=kind, empty=empty, distinct=distinct, top=top, **measured)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _tops(frame: pl.LazyFrame, names: Sequence[str]) -> dict[str, tuple[TopValue, ...]]:
    """The most frequent values of many columns, in one pass over the file: a pass per column would be quadratic."""
    if not names:
        return {}
    counted = (
        frame.select(names)
        .unpivot(variable_name="name", value_name="value")
        .drop_nulls("value")
        .group_by("name", "value")
        .len("count")
        .collect(engine="streaming")
    )
    found: dict[str, list[tuple[int, str]]] = {name: [] for name in names}
    for name, value, count in counted.rows():
        found[name].append((-count, value))
    return {
        name: tuple(
            TopValue(value=cut(value, TOP_VALUE_BYTES), count=-count)
            for count, value in heapq.nsmallest(TOP_VALUES, pairs)
        )
        for name, pairs in found.items()
    }
