"""The model as files: the pipeline in skops' format, and beside it in JSON what a caller must
know to use it.
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sklearn
import skops
import skops.io

from consumers.table_reader.rules import missing_in
from consumers.training.fit import Fit
from consumers.training.plan import Plan
from consumers.training.protocol import ArtifactFile, Column
from consumers.training.table import Table

MODEL_FILE = "model.skops"
SCHEMA_FILE = "model.json"
# Beyond what skops trusts by itself; a reader allows these and nothing else.
TRUSTED = (
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)


def save(
    directory: Path, fit: Fit, table: Table, target: str, plan: Plan
) -> tuple[ArtifactFile, ...]:
    model = directory / MODEL_FILE
    skops.io.dump(fit.pipeline, model)
    if strange := sorted(set(skops.io.get_untrusted_types(file=model)) - set(TRUSTED)):
        raise TypeError(f"the model has types that no reader would accept: {strange}")
    schema = directory / SCHEMA_FILE
    schema.write_text(
        json.dumps(describe(fit, table, target, plan), indent=1, allow_nan=False), encoding="utf-8"
    )
    return tuple(_file(path) for path in (model, schema))


def describe(fit: Fit, table: Table, target: str, plan: Plan) -> dict[str, Any]:
    return {
        "format": 1,
        "task": plan.task,
        "target": {"name": target, "type": table.target_type},
        "classes": None if fit.classes is None else fit.classes.tolist(),
        "inputs": [_input(column, table.feature(column.name), fit) for column in table.columns],
        "left_out": [one.model_dump() for one in fit.details.left_out],
        "trusted_types": list(TRUSTED),
        "chosen": fit.chosen,
        "seed": plan.seed,
        "plan": plan.model_dump(mode="json"),
        "metrics": fit.metrics,
        "baseline": fit.baseline,
        "versions": {
            "python": platform.python_version(),
            "scikit-learn": sklearn.__version__,
            "numpy": np.__version__,
            "polars": pl.__version__,
            "skops": skops.__version__,
        },
    }


def _input(column: Column, values: pl.Series, fit: Fit) -> dict[str, Any]:
    """How a column is read, and what was seen of it: its range, or the categories of the model.

    `missing` are the words that mean an empty cell; `categories_cut` says that there were other
    categories.
    """
    seen = values.drop_nulls()
    described: dict[str, Any] = {
        "name": column.name,
        "type": column.type,
        "missing": list(missing_in(column)),
        "may_be_empty": seen.len() < values.len(),
    }
    if column.type in ("integer", "number") and seen.len():
        described["range"] = [float(np.min(seen.to_numpy())), float(np.max(seen.to_numpy()))]
    elif column.type == "text":
        described["categories"] = fit.categories[column.name]
        described["categories_cut"] = seen.n_unique() > len(fit.categories[column.name])
    return described


def _file(path: Path) -> ArtifactFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ArtifactFile(name=path.name, size_bytes=path.stat().st_size, sha256=digest)
