"""The data set in memory, typed as its validation decided: features as a polars frame, the target as an array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from consumers.training.plan import Task
from consumers.training.protocol import BLANKS, MISSING_MARKERS, Column, ColumnType
from consumers.work.child import Refusal
from schemas.bounds import cut

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in the file's order, without those whose target is empty; `columns` are the features."""

    columns: tuple[Column, ...]
    features: pl.DataFrame
    target: pl.Series
    target_type: ColumnType
    rows_without_target: int


def read_table(path: Path, columns: Sequence[Column], target: str) -> Table:
    types = {column.name: column.type for column in columns}
    if target not in types:
        listed = cut(", ".join(map(repr, types)), 1500)
        raise Refusal("user_config", "target_not_found", f"there is no column {target!r}; there are {listed}")
    text = pl.all().str.strip_chars(BLANKS)
    frame = (
        pl.scan_csv(
            path, has_header=False, skip_lines=1, schema=dict.fromkeys(types, pl.String), infer_schema=False, glob=False
        )
        .select(pl.when(~text.is_in(MISSING_MARKERS)).then(text))
        .filter(pl.any_horizontal(pl.all().is_not_null()))
        .select(_typed(column, is_target=column.name == target) for column in columns)
        .collect(engine="streaming")
    )
    kept = frame.filter(pl.col(target).is_not_null())
    return Table(
        columns=tuple(column for column in columns if column.name != target),
        features=kept.drop(target),
        target=kept[target],
        target_type=types[target],
        rows_without_target=frame.height - kept.height,
    )


def _typed(column: Column, *, is_target: bool) -> pl.Expr:
    """Features are floats or text, for that is what the estimators take; a target keeps its kind."""
    cell = pl.col(column.name)
    match column.type:
        case "text":
            return cell
        case "boolean":
            truth = pl.when(cell.is_not_null()).then(cell.str.to_lowercase() == "true")
            return truth.alias(column.name) if is_target else truth.cast(pl.Float64).alias(column.name)
        case "integer" if is_target:
            return cell.cast(pl.Int64)
        case _:
            return cell.cast(pl.Float64)


def target_array(table: Table, task: Task) -> Array:
    """Labels (integers, booleans or text) or floats; fractions that are classes become text."""
    target = table.target
    if task == "regression":
        return target.cast(pl.Float64).to_numpy()
    if table.target_type == "number":
        whole = bool((target == target.round()).all()) and bool((target.abs() < 2**53).all())
        target = target.cast(pl.Int64) if whole else target.cast(pl.String)
    if target.dtype == pl.String:
        return np.array(target.to_list(), dtype=object)
    return target.to_numpy()
