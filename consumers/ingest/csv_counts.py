"""What is counted in the columns of a file, in few passes over it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import polars as pl

from consumers.ingest.column_decision import EXACT, MOSTLY, Observed
from consumers.ingest.column_notes import UNIQUE_FROM
from consumers.ingest.date_forms import COMPACT, DATE
from consumers.ingest.protocol import TopValue
from consumers.table_reader.cells import without
from consumers.table_reader.range_check import is_out_of_range
from schemas.bounds import cut

TOP_VALUES = 5
TOP_VALUE_BYTES = 200
# Different values of a column are counted exactly up to here, when nearly all seem to differ.
EXACT_ROWS = 2_000_000
ESTIMATED = 0.85  # an estimate may be so low where every value is another one
FIGURES = ("min", "max", "mean", "std")

ZERO_IN_FRONT = "^[+-]?0[0-9]"
PHONE = r"^\+[0-9]{7,}$"
INTEGER = "^[+-]?[0-9]+$"
EXPONENT = "^[0-9]+[eE][0-9]+$"
_SIGN = r"[€$£¥%]"
DECORATED = (
    rf"^{_SIGN}?\s?[+-]?\s?(\d+|\d{{1,3}}([.,'’ "
    rf"\x{{a0}}\x{{202f}}]\d{{3}})+)([.,]\d+)?\s?({_SIGN}|EUR|USD|CHF)?$"
)
LONG = "^[+-]?[0-9]{15,}[1-9]0*$"

SPECIAL: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "zeros": lambda cell: cell.str.contains(ZERO_IN_FRONT),
    "plus": lambda cell: cell.str.contains(PHONE),
    "literals": lambda cell: cell.str.contains(INTEGER),
    "long": lambda cell: cell.str.contains(LONG) & (_float(cell).abs() >= EXACT),
    "exponents": lambda cell: cell.str.contains(EXPONENT),
    "decorated": lambda cell: cell.str.contains(DECORATED) & _number(cell).is_null(),
    "far": lambda cell: is_out_of_range(_float(cell)),
}
"""What makes a number an id, or too large."""
CLOSER = ("plus", "literals", "long", "far")


def values(place: str, one: Observed) -> pl.Expr:
    """A column's cells without those that are missing in it."""
    return _kept(place, one) if one.words_are_missing else pl.col(place)


def _kept(place: str, one: Observed) -> pl.Expr:
    return without(place, one.words) if one.filled > one.kept else pl.col(place)


def fits(place: str, one: Observed) -> pl.Expr:
    """Whether a cell is of the type that the column was given, or else mostly has."""
    cell = pl.col(place)
    match one.hint:
        case "integer":
            return cell.cast(pl.Int64, strict=False).is_not_null()
        case "boolean":
            return _boolean(cell)
        case None | "text" if one.numbers < MOSTLY * one.values:
            return cell.str.contains(DATE)
        case _:
            return _number(cell).is_not_null()


def count(frame: pl.LazyFrame, part: Mapping[str, Observed]) -> None:
    """Filled cells, and those that are integers, numbers, booleans."""
    asked = []
    for place, one in part.items():
        cell = without(place, one.words) if one.words_given else pl.col(place)
        asked += [
            pl.col(place).count().alias(f"{place}:filled"),
            (pl.col(place).count() - pl.col(place).is_in(list(one.words)).sum()).alias(
                f"{place}:kept"
            ),
            cell.cast(pl.Int64, strict=False).count().alias(f"{place}:integers"),
            _number(cell).count().alias(f"{place}:numbers"),
            _boolean(cell).sum().alias(f"{place}:booleans"),
        ]
    _keep(part, _ask(frame, asked))


def measure(
    frame: pl.LazyFrame, part: Mapping[str, Observed]
) -> dict[str, dict[str, float | None]]:
    """Different values, dates, marks of ids; returns the figures of numbers."""
    asked = []
    for place, one in part.items():
        cell = _kept(place, one)
        # The estimate counts null as one more value.
        asked.append((cell.approx_n_unique() - cell.has_nulls()).alias(f"{place}:distinct"))
        if one.candidate in ("integer", "number"):
            number = _number(cell)
            asked += [getattr(number, name)().alias(f"{place}:{name}") for name in FIGURES]
            asked.append(SPECIAL["zeros"](cell).sum().alias(f"{place}:zeros"))
            if one.candidate == "number":
                asked.append(SPECIAL["exponents"](cell).sum().alias(f"{place}:exponents"))
            asked.append(cell.str.starts_with("+").sum().alias(f"{place}:plus"))
        elif one.candidate == "text" and one.kept:
            asked.append(cell.str.contains(DATE).sum().alias(f"{place}:dates"))
            asked.append(SPECIAL["decorated"](cell).sum().alias(f"{place}:decorated"))
            if one.typed:
                asked.append(SPECIAL["zeros"](cell).sum().alias(f"{place}:zeros"))
    answer = _ask(frame, asked)
    figures = {
        place: {name: answer.pop(f"{place}:{name}", None) for name in FIGURES} for place in part
    }
    _keep(part, answer)
    for place, one in part.items():
        one.largest = max(abs(figures[place][name] or 0.0) for name in ("min", "max"))
    return figures


def look_closer(frame: pl.LazyFrame, part: Mapping[str, Observed]) -> None:
    """What few columns need: how their words are spelled, whether numbers are ids, whether all
    differ.
    """
    asked = []
    for place, one in part.items():
        cell = values(place, one)
        if one.may_be_compact_dates:
            asked.append(cell.str.contains(COMPACT).sum().alias(f"{place}:dates"))
        if one.needs_closer_look:
            asked += [SPECIAL[name](cell).sum().alias(f"{place}:{name}") for name in CLOSER]
        elif _may_be_unique(one):
            kept = _kept(place, one).drop_nulls()
            asked.append(kept.hash().n_unique().alias(f"{place}:distinct"))
    if asked:
        _keep(part, _ask(frame, asked))
    with_words = {place: one.words for place, one in part.items() if one.filled > one.kept}
    for place, word, found in _counted(frame, with_words):
        part[place].spelled[word] = found
    for one in part.values():
        if not one.words_are_missing:
            one.distinct += len(one.spelled)


def tops(frame: pl.LazyFrame, part: Mapping[str, Observed]) -> dict[str, tuple[TopValue, ...]]:
    """The most frequent values of many columns, in one pass over the file: a pass per column
    would be quadratic.
    """
    found: dict[str, list[tuple[int, str]]] = {place: [] for place in part}
    cells = [values(place, one).alias(place) for place, one in part.items()]
    for place, value, many in _occurring(frame.select(cells), part):
        found[place].append((-many, value))
    return {
        place: tuple(
            TopValue(value=cut(value, TOP_VALUE_BYTES), count=-many)
            for many, value in heapq.nsmallest(TOP_VALUES, pairs)
        )
        for place, pairs in found.items()
    }


def _counted(frame: pl.LazyFrame, words: Mapping[str, Iterable[str]]) -> list[tuple[str, str, int]]:
    cells = [
        pl.when(pl.col(place).is_in(list(some))).then(pl.col(place))
        for place, some in words.items()
    ]
    return _occurring(frame.select(cells), words)


def _occurring(frame: pl.LazyFrame, places: Iterable[str]) -> list[tuple[str, str, int]]:
    """Column, value and count of every different value."""
    if not list(places):
        return []
    long = frame.unpivot(variable_name="place", value_name="value").drop_nulls("value")
    return long.group_by("place", "value").len("count").collect(engine="streaming").rows()


def _may_be_unique(one: Observed) -> bool:
    if one.candidate != "text" or not UNIQUE_FROM <= one.kept <= EXACT_ROWS:
        return False
    return one.distinct >= ESTIMATED * one.kept


def _number(cell: pl.Expr) -> pl.Expr:
    value = _float(cell)
    return pl.when(value.is_finite()).then(value)  # inf and overflow cannot be trained on


def _boolean(cell: pl.Expr) -> pl.Expr:
    return cell.str.to_lowercase().is_in(["true", "false"])


def _float(cell: pl.Expr) -> pl.Expr:
    return cell.cast(pl.Float64, strict=False)


def _ask(frame: pl.LazyFrame, expressions: list[pl.Expr]) -> dict[str, Any]:
    return frame.select(expressions).collect(engine="streaming").row(0, named=True)


def _keep(part: Mapping[str, Observed], answer: Mapping[str, Any]) -> None:
    for name, value in answer.items():
        place, what = name.split(":")
        setattr(part[place], what, value or 0)
