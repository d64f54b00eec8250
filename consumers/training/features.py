"""Which columns are learned from, and which words of a text column have a place of their own in
the model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from consumers.training.plan import LeftOut
from consumers.training.protocol import Column
from consumers.training.table import Table
from consumers.work.child import ChildRefusal
from schemas.bounds import cut

MIN_CATEGORY_ROWS = 2
MIN_CATEGORY_SHARE = 0.01
MAX_CATEGORIES = 50
# A text column is left out when its categories are fewer of its values than this.
MIN_COVERED = 0.5
# A text column of more values than FEW_TEXTS is left out when a value has fewer rows on average.
MIN_ROWS_PER_TEXT = 3
FEW_TEXTS = 20
DATES = (
    "dates are not used; columns of numbers made from them are, such as year, month, or day "
    "of the week"
)


def frequent(values: pl.Series) -> list[str]:
    """The categories: values with two rows and 1 % of them, at most 50, the most frequent first.

    All others are encoded as no category, as a word that was never seen is, and are not part of the
    model's file.
    """
    least = max(MIN_CATEGORY_ROWS, math.ceil(MIN_CATEGORY_SHARE * values.len()))
    counted = _counted(values).filter(pl.col("count") >= least)
    return counted["value"].head(MAX_CATEGORIES).to_list()


def left_out(table: Table) -> tuple[LeftOut, ...]:
    """The columns that cannot be learned from, each with the reason."""
    reasons = [
        (column.name, _reason(column, table.feature(column.name))) for column in table.columns
    ]
    return tuple(
        LeftOut(name=name, reason=reason) for name, reason in reasons if reason is not None
    )


def without(table: Table, out: Sequence[LeftOut], target: str) -> Table:
    """The table with the columns that are learned from; refuses when there is none."""
    names = {one.name for one in out}
    columns = tuple(column for column in table.columns if column.name not in names)
    if not columns:
        said = cut("; ".join(f"{one.name!r}: {one.reason}" for one in out), 1500)
        message = (
            f"no column is left to predict {target!r} from ({said}); add a column of numbers, of "
            "true and false, or "
            "of words that recur"
        )
        raise ChildRefusal("user_data", "no_features", message)
    return replace(
        table, columns=columns, features=table.features[[column.name for column in columns]]
    )


def _reason(column: Column, values: pl.Series) -> str | None:
    seen = values.drop_nulls()
    if not seen.len():
        return "no row has a value"
    if column.type != "text":
        return None
    if column.looks_like == "dates":
        return DATES
    counted = _counted(values)
    covered = counted.filter(pl.col("value").is_in(frequent(values)))["count"].sum()
    many = counted.height > FEW_TEXTS and seen.len() < MIN_ROWS_PER_TEXT * counted.height
    if many or covered < MIN_COVERED * seen.len():
        return (
            f"{counted.height} different texts in {seen.len()} rows: ids or free text are not used"
        )
    return None


def _counted(values: pl.Series) -> pl.DataFrame:
    """`value` and `count`, the most frequent first; equal counts by the value."""
    counted = values.drop_nulls().alias("value").to_frame().group_by("value").len("count")
    return counted.sort(["count", "value"], descending=[True, False])
