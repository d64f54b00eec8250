"""The demo's files are what scikit-learn loads from them."""

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets

from compose.demo import data


@pytest.mark.parametrize(
    ("one", "load", "options"),
    [
        (data.WINE, datasets.load_wine, {}),
        (data.BREAST_CANCER, datasets.load_breast_cancer, {}),
        (data.DIABETES, datasets.load_diabetes, {"scaled": False}),
    ],
    ids=lambda value: value.name if isinstance(value, data.DataSet) else "",
)
def test_as_scikit_learn_ships_them(
    one: data.DataSet, load: object, options: dict[str, bool], tmp_path: Path
) -> None:
    bunch = load(**options)  # type: ignore[operator]
    with data.write(one, tmp_path).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == [*bunch.feature_names, one.target]
    assert len(rows) == one.rows
    assert np.array_equal(np.array([row[:-1] for row in rows], dtype=float), bunch.data)
    if "target_names" in bunch:
        assert [row[-1] for row in rows] == [
            str(bunch.target_names[label]) for label in bunch.target
        ]
    else:
        assert np.array_equal(np.array([float(row[-1]) for row in rows]), bunch.target)
