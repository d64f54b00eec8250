"""The figures that come out of the whole path are those of the same pipeline in a plain script."""

import csv
import io

import numpy as np
from sklearn import metrics
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from tests.acceptance.world import World
from tests.eventually import eventually
from tests.factories import shipped_csv

EXACT = 1e-9
SEED = 17
CLASSIFIERS = {
    "logistic_regression": lambda: LogisticRegression(C=1.0, max_iter=1000),
    "random_forest": lambda: RandomForestClassifier(n_estimators=100, random_state=SEED),
    "hist_gradient_boosting": lambda: HistGradientBoostingClassifier(
        max_iter=50, learning_rate=0.1, early_stopping=False, random_state=SEED
    ),
}


def plain_script(content: bytes, chosen: str) -> tuple[dict[str, float], float]:
    """The held-out figures of the chosen pipeline, and the accuracy of always saying the most
    frequent class.
    """
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    data = np.array(
        [[float(cell) for column, cell in row.items() if column != "target"] for row in rows]
    )
    labels = np.array([row["target"] for row in rows])
    x_train, x_test, y_train, y_test = train_test_split(
        data, labels, test_size=0.25, random_state=SEED, stratify=labels
    )
    with threadpool_limits(1):
        model = make_pipeline(
            SimpleImputer(strategy="median"), StandardScaler(), CLASSIFIERS[chosen]()
        )
        model.fit(x_train, y_train)
        predicted, probabilities = model.predict(x_test), model.predict_proba(x_test)
    dummy = DummyClassifier(strategy="most_frequent").fit(x_train, y_train).predict(x_test)
    return {
        "accuracy": metrics.accuracy_score(y_test, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(y_test, predicted),
        "precision_macro": metrics.precision_score(y_test, predicted, average="macro"),
        "recall_macro": metrics.recall_score(y_test, predicted, average="macro"),
        "f1_macro": metrics.f1_score(y_test, predicted, average="macro"),
        "roc_auc": metrics.roc_auc_score(y_test, probabilities, multi_class="ovr"),
        "log_loss": metrics.log_loss(y_test, probabilities),
    }, metrics.accuracy_score(y_test, dummy)


async def test_wine_through_http_gives_the_figures_of_a_plain_script(world: World) -> None:
    content = shipped_csv("wine")
    job = await world.ended(
        await world.start_job(
            await world.upload("wine", content), "wine", seed=SEED, profile="fast"
        )
    )
    assert job["state"] == "succeeded", job["failure"]
    expected, dummy_accuracy = plain_script(content, job["details"]["chosen"])

    def same(found: dict[str, float]) -> None:
        assert found.keys() == expected.keys()
        assert all(abs(found[name] - expected[name]) <= EXACT for name in expected), (
            found,
            expected,
        )

    same(job["metrics"])
    assert abs(job["baseline"]["accuracy"] - dummy_accuracy) <= EXACT
    same((await world.get("/v1/models/wine/versions/1"))["metrics"])
    trend = await eventually(
        lambda: world.get("/v1/metric-trends", model="wine"), lambda page: page["data"]
    )
    same({point["metric"]: point["value"] for point in trend["data"]})
