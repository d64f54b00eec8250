"""The dataset in memory, typed as its validation decided: a polars frame, and the target's
array.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from consumers.table_reader.cells import place_name, scan, without
from consumers.table_reader.range_check import check_range
from consumers.table_reader.rules import missing_in
from consumers.training.plan import Task
from consumers.training.protocol import Column, ColumnType
from consumers.work.child import ChildRefusal
from schemas.bounds import cut

VALUES = "values"
Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in the file's order, without those whose target is empty; `columns` are the features.

    The frame's columns have the names of the file, whatever these are. Polars takes `*` and `^a.*$`
    for patterns in `select`, `drop` and `pl.col`, and for names in `frame[name]`.
    """

    columns: tuple[Column, ...]
    features: pl.DataFrame
    target: pl.Series
    target_type: ColumnType
    rows_without_target: int

    def feature(self, name: str) -> pl.Series:
        """A column's values. Not under its name: the methods of a series take that for a pattern
        too.
        """
        return self.features[name].alias(VALUES)


def read_table(path: Path, columns: Sequence[Column], target: str) -> Table:
    """Refuses with `target_not_found`, or `out_of_range` where a number is too large to be
    squared.
    """
    names = [column.name for column in columns]
    if target not in names:
        listed = cut(", ".join(map(repr, names)), 1500)
        raise ChildRefusal(
            "user_config", "target_not_found", f"there is no column {target!r}; there are {listed}"
        )
    chosen = names.index(target)
    frame = (
        _cells(path, columns)
        .select(
            _typed(place, column, is_target=place == chosen) for place, column in enumerate(columns)
        )
        .collect(engine="streaming")
    )
    check_range(path, columns, frame)
    kept = frame.filter(pl.col(place_name(chosen)).is_not_null())
    features = kept.drop(place_name(chosen))
    features.columns = [name for name in names if name != target]
    return Table(
        columns=tuple(column for column in columns if column.name != target),
        features=features,
        target=kept[place_name(chosen)].alias(VALUES),
        target_type=columns[chosen].type,
        rows_without_target=frame.height - kept.height,
    )


def _cells(path: Path, columns: Sequence[Column]) -> pl.LazyFrame:
    """Text cells, null where they are empty or hold a word that means so in their column."""
    frame = scan(path, len(columns)).with_columns(
        without(place_name(place), missing_in(column)) for place, column in enumerate(columns)
    )
    if all(column.missing is not None for column in columns):
        return frame
    return frame.filter(pl.any_horizontal(pl.all().is_not_null()))  # as the first reader counted


def _typed(place: int, column: Column, *, is_target: bool) -> pl.Expr:
    """Features are floats or text, for that is what the estimators take.

    A target keeps its kind.
    """
    cell = pl.col(place_name(place))
    match column.type:
        case "text":
            return cell
        case "boolean":
            truth = pl.when(cell.is_not_null()).then(cell.str.to_lowercase() == "true")
            return (truth if is_target else truth.cast(pl.Float64)).alias(place_name(place))
        case "integer" if is_target:
            return cell.cast(pl.Int64)
        case _:
            return cell.cast(pl.Float64)


def is_whole(table: Table) -> bool:
    """Whether the target is numbers without fractions, also where they are written as 1.0."""
    if table.target_type != "number":
        return table.target_type == "integer"
    target = table.target
    return bool((target == target.round()).all()) and bool((target.abs() < 2**53).all())


def has_fractions(table: Table) -> bool:
    """Whether the target is a number that is not whole in some row."""
    target = table.target
    return table.target_type == "number" and not bool((target == target.round()).all())


def spellings(path: Path, columns: Sequence[Column], target: str) -> list[list[str]]:
    """The texts of each number of the target that is written in several ways."""
    place = [column.name for column in columns].index(target)
    cell = pl.col(place_name(place))
    number = cell.cast(pl.Int64 if columns[place].type == "integer" else pl.Float64)
    texts = _cells(path, columns).select(cell, number.alias(VALUES)).drop_nulls().unique()
    several = texts.group_by(VALUES).agg(cell.sort()).filter(cell.list.len() > 1).sort(VALUES)
    found: list[list[str]] = several.collect(engine="streaming")[place_name(place)].to_list()
    return found


def target_array(table: Table, task: Task) -> Array:
    """Labels (integers, booleans or text) or floats; fractions that are classes become text."""
    target = table.target
    if task == "regression":
        return target.cast(pl.Float64).to_numpy()
    if table.target_type == "number":
        target = target.cast(pl.Int64) if is_whole(table) else target.cast(pl.String)
    if target.dtype == pl.String:
        return np.array(target.to_list(), dtype=object)
    return target.to_numpy()
