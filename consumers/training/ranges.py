"""Numbers that the estimators cannot hold: they square them, and the trees keep them in 32 bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from consumers.table_reader.cells import Evidence, collect_evidence, place_name
from consumers.training.protocol import Column
from consumers.training.table import Array, Table
from consumers.work.child import ChildRefusal
from schemas.bounds import cut

LARGEST = 1e30
# Values that differ by less than this factor stay below LARGEST when they are scaled.
NEAR = 1e10


@dataclass(eq=False)
class OutOfRange(Exception):
    """A column has values of this size or more, which cannot be computed with; `why` completes
    the sentence.
    """

    column: str
    size: float
    why: str


def check_target(target: Array, name: str) -> None:
    """Raises OutOfRange for a regression's target that is too large, or whose differences vanish
    when squared.
    """
    largest = float(np.abs(target).max())
    if largest > LARGEST:
        raise OutOfRange(
            name, LARGEST, f"and up to {LARGEST:g} can be predicted: write it in a larger unit"
        )
    if float(np.var(target)) == 0:
        raise OutOfRange(
            name,
            0.0,
            "which differ by too little to be distinguished: write them in a smaller unit",
        )


def check_features(table: Table, splits: Sequence[tuple[Array, Array]]) -> None:
    """Raises OutOfRange for a value far beyond those that its column is scaled by, in one of the
    `splits`.
    """
    for column in table.columns:
        if column.type not in ("integer", "number"):
            continue
        values = table.feature(column.name).to_numpy().astype(float)
        if _is_wide(values) and any(_largest(values, *split) > LARGEST for split in splits):
            why = (
                "too far from the others to be scaled with them: correct it, leave it empty, or "
                "give the column's "
                "logarithm"
            )
            raise OutOfRange(column.name, float(np.nanmax(np.abs(values))), why)


def refusal_of(found: OutOfRange, path: Path, columns: Sequence[Column]) -> ChildRefusal:
    """The refusal with the rows and the values as the file has them."""
    name = place_name([column.name for column in columns].index(found.column))
    value = pl.col(name).cast(pl.Float64, strict=False)
    evidence = Evidence(name, value.is_finite() & (value.abs() >= found.size))
    collect_evidence(path, len(columns), [evidence])
    samples = ", ".join(cut(sample, 40) for sample in evidence.samples)
    rows = ", ".join(map(str, evidence.rows))
    message = f"the column {found.column!r} has {samples} (row {rows}), {found.why}"
    return ChildRefusal("user_data", "out_of_range", message)


def _is_wide(values: Array) -> bool:
    sizes = np.abs(values[~np.isnan(values) & (values != 0)])
    return bool(sizes.size) and bool(sizes.max() > min(LARGEST, NEAR * sizes.min()))


def _largest(values: Array, train: Array, test: Array) -> float:
    scale = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
    )
    scale.fit(values[train].reshape(-1, 1))
    return max(float(np.abs(part).max()) for part in _scaled(scale, values, (train, test)))


def _scaled(scale: object, values: Array, rows: Sequence[Array]) -> Iterator[Array]:
    for some in rows:
        yield scale.transform(values[some].reshape(-1, 1))  # type: ignore[attr-defined]
