"""The data sets that scikit-learn ships, written as a tenant would upload them."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sklearn import datasets


def write(name: str, directory: Path) -> Path:
    """`<name>.csv` with the features in their order and the column `target` last.

    Wine's target is the class name.
    """
    bunch = getattr(datasets, f"load_{name}")()
    path = directory / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*map(str, bunch.feature_names), "target"])
        for values, target in zip(bunch.data.tolist(), bunch.target.tolist(), strict=True):
            writer.writerow([*values, bunch.target_names[target] if name == "wine" else target])
    return path


def columns_of(validated: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"name": column["name"], "type": column["type"]} for column in validated["columns"]]
