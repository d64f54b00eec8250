"""Training in real child processes: figures above the baseline, the same again, and the same by
a plain script.
"""

import csv
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import skops.io
from sklearn import datasets, metrics
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from consumers.training.artifact import TRUSTED
from consumers.training.plan import make_plan
from consumers.work.child_result import ChildResult, Finished, Progress, TenantRefused
from tests.integration.work_child.attempts import attempt, finished
from tests.integration.work_child.data import columns_of, write

EXACT = 1e-9


async def train(path: Path, directory: Path, **more: Any) -> ChildResult:
    validated = finished(await attempt("validate", {"path": str(path)}, directory))
    assert validated["valid"], validated["report"]
    payload = {"path": str(path), "columns": columns_of(validated), "target": "target"} | more
    return await attempt("train", payload, directory)


def same(left: Mapping[str, float], right: Mapping[str, float]) -> None:
    assert left.keys() == right.keys()
    assert all(abs(left[name] - right[name]) <= EXACT for name in left), (left, right)


@pytest.mark.parametrize(
    ("name", "metric", "least"),
    [
        ("wine", "accuracy", 0.93),
        ("breast_cancer", "accuracy", 0.93),
        ("iris", "accuracy", 0.9),
        ("digits", "accuracy", 0.95),
        ("diabetes", "r2", 0.3),
    ],
)
async def test_known_data_sets_are_learned(
    name: str, metric: str, least: float, tmp_path: Path
) -> None:
    result = finished(await train(write(name, tmp_path), tmp_path))
    assert result["task"] == ("regression" if name == "diabetes" else "classification")
    assert result["metrics"].keys() == result["baseline"].keys()
    assert result["metrics"][metric] >= least
    assert result["metrics"][metric] > result["baseline"][metric] + 0.2
    assert result["plan"]["profile"] == "fast"
    assert result["cut_short"] == []
    details = result["details"]
    assert details["train_rows"] + details["test_rows"] == details["rows"]
    assert details["test_rows"] == int(np.ceil(details["rows"] * 0.25))
    assert sum(map(sum, details["confusion"])) == (
        0 if name == "diabetes" else details["test_rows"]
    )


async def test_progress_is_told_in_order(tmp_path: Path) -> None:
    path = write("wine", tmp_path)
    told: list[Progress] = []
    columns = columns_of(finished(await attempt("validate", {"path": str(path)}, tmp_path)))
    payload = {"path": str(path), "columns": columns, "target": "target"}
    assert isinstance(await attempt("train", payload, tmp_path, on_progress=told.append), Finished)
    assert [said.stage for said in told] == [
        "reading",
        "candidate logistic_regression 1/3",
        "candidate random_forest 2/3",
        "candidate hist_gradient_boosting 3/3",
        "fitting logistic_regression",
        "measuring",
        "saving",
    ]
    assert [said.fraction for said in told] == sorted(said.fraction for said in told)


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes"])
async def test_training_again_by_the_stored_plan_gives_the_same(name: str, tmp_path: Path) -> None:
    path = write(name, tmp_path)
    first = finished(await train(path, tmp_path, options={"seed": 5}))
    again = finished(
        await train(path, tmp_path, plan=json.loads(json.dumps(first["plan"])), seed=99)
    )
    assert again["chosen"] == first["chosen"]
    assert again["plan"] == first["plan"]
    same(again["metrics"], first["metrics"])
    same(again["baseline"], first["baseline"])
    for left, right in zip(again["details"]["scores"], first["details"]["scores"], strict=True):
        assert left["folds"] == pytest.approx(right["folds"], abs=EXACT)


CLASSIFIERS = {
    "logistic_regression": lambda: LogisticRegression(C=1.0, max_iter=1000),
    "random_forest": lambda: RandomForestClassifier(n_estimators=100, random_state=17),
    "hist_gradient_boosting": lambda: HistGradientBoostingClassifier(
        max_iter=50, learning_rate=0.1, early_stopping=False, random_state=17
    ),
}


@pytest.mark.parametrize("name", list(CLASSIFIERS))
async def test_a_plain_script_gives_the_same_figures_for_wine(name: str, tmp_path: Path) -> None:
    plan = make_plan("classification", 178, 13, 60, seed=17)
    only = plan.model_copy(
        update={"candidates": tuple(one for one in plan.candidates if one.name == name)}
    )
    path = write("wine", tmp_path)
    result = finished(await train(path, tmp_path, plan=only.model_dump(mode="json")))
    assert result["chosen"] == name

    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    data = np.array(
        [[float(cell) for column, cell in row.items() if column != "target"] for row in rows]
    )
    labels = np.array([row["target"] for row in rows])
    x_train, x_test, y_train, y_test = train_test_split(
        data, labels, test_size=0.25, random_state=17, stratify=labels
    )
    with threadpool_limits(1):
        model = make_pipeline(
            SimpleImputer(strategy="median"), StandardScaler(), CLASSIFIERS[name]()
        )
        model.fit(x_train, y_train)
        predicted, probabilities = model.predict(x_test), model.predict_proba(x_test)
    same(
        result["metrics"],
        {
            "accuracy": metrics.accuracy_score(y_test, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(y_test, predicted),
            "precision_macro": metrics.precision_score(y_test, predicted, average="macro"),
            "recall_macro": metrics.recall_score(y_test, predicted, average="macro"),
            "f1_macro": metrics.f1_score(y_test, predicted, average="macro"),
            "roc_auc": metrics.roc_auc_score(y_test, probabilities, multi_class="ovr"),
            "log_loss": metrics.log_loss(y_test, probabilities),
        },
    )


async def test_a_plain_script_gives_the_same_figures_for_diabetes(tmp_path: Path) -> None:
    result = finished(await train(write("diabetes", tmp_path), tmp_path, seed=3))
    assert result["chosen"] == "ridge"

    bunch = datasets.load_diabetes()
    x_train, x_test, y_train, y_test = train_test_split(
        bunch.data, bunch.target, test_size=0.25, random_state=3
    )
    with threadpool_limits(1):
        predicted = (
            make_pipeline(StandardScaler(), Ridge(alpha=1.0)).fit(x_train, y_train).predict(x_test)
        )
    same(
        result["metrics"],
        {
            "r2": metrics.r2_score(y_test, predicted),
            "mse": metrics.mean_squared_error(y_test, predicted),
            "rmse": metrics.root_mean_squared_error(y_test, predicted),
            "mae": metrics.mean_absolute_error(y_test, predicted),
            "median_ae": metrics.median_absolute_error(y_test, predicted),
            "mape": metrics.mean_absolute_percentage_error(y_test, predicted),
        },
    )


async def test_the_artifact_predicts_what_was_measured(tmp_path: Path) -> None:
    path = write("wine", tmp_path)
    result = finished(await train(path, tmp_path))
    for file in result["artifacts"]:
        content = (tmp_path / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            file["size_bytes"],
            file["sha256"],
        )
    described = json.loads((tmp_path / "model.json").read_text())
    assert described["classes"] == ["class_0", "class_1", "class_2"]
    assert described["plan"] == result["plan"]
    model = skops.io.load(tmp_path / "model.skops", trusted=list(TRUSTED))
    frame = pl.read_csv(path)
    _, held_out = train_test_split(
        np.arange(len(frame)), test_size=0.25, random_state=0, stratify=frame["target"].to_numpy()
    )
    predicted = model.predict(frame.drop("target")[held_out])
    assert (predicted == frame["target"].to_numpy()[held_out]).mean() == result["metrics"][
        "accuracy"
    ]


def mixed(rows: int = 200) -> str:
    """Numbers, booleans and text with holes.

    The target is `size > 50`, with some of its cells empty.
    """
    lines = ["size,colour,heavy,nothing,target"]
    for row in range(rows):
        size = row * 37 % 101
        target = "" if row % 20 == 19 else ("big" if size > 50 else "small")
        colour = "" if row % 7 == 0 else ("red", "green", "blue")[row % 3]
        lines.append(
            f"{'NA' if row % 11 == 0 else size},{colour},{'' if row % 13 == 0 else row % 2 == 0},,{target}"
        )
    return "\n".join(lines) + "\n"


async def test_mixed_columns_with_holes_are_learned(tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    path.write_text(mixed())
    result = finished(await train(path, tmp_path))
    assert result["details"]["rows"] == 190
    assert result["details"]["rows_without_target"] == 10
    assert result["metrics"]["accuracy"] > 0.85
    inputs = {
        column["name"]: column
        for column in json.loads((tmp_path / "model.json").read_text())["inputs"]
    }
    assert inputs["size"]["range"] == [0.0, 100.0]
    assert sorted(inputs["colour"]["categories"]) == ["blue", "green", "red"]
    assert inputs["heavy"]["type"] == "boolean"


@pytest.mark.parametrize(
    ("change", "failure_class", "code", "said"),
    [
        ({"target": "price"}, "user_config", "target_not_found", "'size', 'colour', 'heavy'"),
        ({"target": "nothing"}, "user_data", "too_few_rows", "0 rows"),
        (
            {"options": {"task": "regression"}},
            "user_config",
            "task_unsuitable",
            "regression needs numbers",
        ),
        (
            {"options": {"epochs": 5}},
            "user_config",
            "unknown_option",
            "known are profile, seed, task",
        ),
        (
            {"options": {"task": "classification"}, "target": "id"},
            "user_data",
            "target_unusable",
            "needs 2 rows",
        ),
        ({"target": "same"}, "user_data", "target_unusable", "the same value"),
    ],
)
async def test_what_cannot_be_trained_is_refused(
    change: dict[str, Any], failure_class: str, code: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "mixed.csv"
    header, *lines = mixed(60).splitlines()
    path.write_text(
        "\n".join([header + ",id,same", *(f"{line},{place},1" for place, line in enumerate(lines))])
    )
    result = await train(path, tmp_path, **change)
    assert isinstance(result, TenantRefused), result
    assert (result.failure_class, result.code) == (failure_class, code)
    assert said in result.message


async def test_a_budget_that_is_over_cuts_the_plan_short_and_says_so(tmp_path: Path) -> None:
    plan = make_plan("classification", 178, 13, 60, seed=0).model_copy(
        update={"budget_seconds": 1e-6}
    )
    result = finished(
        await train(write("wine", tmp_path), tmp_path, plan=plan.model_dump(mode="json"))
    )
    assert result["chosen"] == "logistic_regression"
    assert result["cut_short"] == ["random_forest", "hist_gradient_boosting"]
