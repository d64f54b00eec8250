"""Points of a trend, one per metric of a registered version."""

from projections.metric_trends.fold import Point, points
from schemas.event import Event
from schemas.models import ModelRegistered
from tests.factories import door_event
from tests.unit.projections.events import DATASET, JOB, START, TENANT, requested


def registered(metrics: dict[str, float], baseline: dict[str, float]) -> Event:
    data = ModelRegistered(
        name="wine",
        version=2,
        job_id=JOB,
        dataset_id=DATASET,
        dataset_version=4,
        target="target",
        task="classification",
        metrics=metrics,
        baseline=baseline,
        details={},
        artifacts={},
    )
    return door_event(data, "wine", tenant=TENANT, at=START)


def test_every_metric_is_a_point_beside_its_baseline() -> None:
    assert points(registered({"f1_macro": 0.9, "accuracy": 0.97}, {"accuracy": 0.4})) == [
        Point(TENANT, "wine", "accuracy", 2, 0.97, 0.4, "classification", JOB, START, DATASET, 4),
        Point(TENANT, "wine", "f1_macro", 2, 0.9, None, "classification", JOB, START, DATASET, 4),
    ]


def test_other_events_and_models_without_metrics_have_none() -> None:
    assert points(requested()) == []
    assert points(registered({}, {"accuracy": 0.4})) == []


def test_a_baseline_of_zero_is_a_number() -> None:
    (point,) = points(registered({"r2": 0.5}, {"r2": 0.0}))
    assert point.baseline == 0.0
