"""The demo's checks: each holds for what a good run shows, and for nothing else."""

from decimal import Decimal
from typing import Any

import pytest

from compose.demo import checks

METRIC = "balanced_accuracy"


def job(version: int | None = 1, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"job-{version}",
        "state": "succeeded",
        "model": {"name": "demo-wine", "version": version},
        "metrics": {"accuracy": 0.98, METRIC: 0.97, "f1_macro": 0.97},
        "baseline": {"accuracy": 0.4, METRIC: 0.33, "f1_macro": 0.19},
        "details": {"seconds": 2.5},
        "failure": None,
        "correlation_id": "event",
        "origin": "webhook",
        **changes,
    }


def point(version: int, **changes: Any) -> dict[str, Any]:
    return {
        "version": version,
        "value": 0.97,
        "baseline": 0.33,
        "job_id": f"job-{version}",
        **changes,
    }


def test_a_data_set_is_in_only_with_all_its_rows() -> None:
    assert checks.has_rows("wine", {"state": "validated", "rows": 178}, 178).holds
    assert not checks.has_rows("wine", {"state": "validated", "rows": 177}, 178).holds
    assert not checks.has_rows("wine", {"state": "rejected", "rows": None}, 178).holds


def test_a_job_succeeds_in_less_time_than_the_run_took() -> None:
    assert checks.succeeded("wine", job(), 10.0).holds
    assert not checks.succeeded("wine", job(), 2.0).holds


def test_a_failed_job_says_why() -> None:
    failure = {"class": "user_data", "code": "dataset_rejected", "message": "no"}
    check = checks.succeeded("wine", job(state="failed", failure=failure), 10.0)
    assert not check.holds
    assert "user_data/dataset_rejected: no" in check.detail


@pytest.mark.parametrize(
    ("name", "value", "baseline", "better"),
    [
        ("accuracy", 0.9, 0.4, True),
        ("accuracy", 0.4, 0.4, False),
        ("accuracy", 0.3, 0.4, False),
        ("rmse", 54.0, 72.0, True),
        ("rmse", 72.0, 72.0, False),
        ("mae", 80.0, 61.0, False),
    ],
)
def test_better_has_a_direction(name: str, value: float, baseline: float, better: bool) -> None:
    seen = job(metrics={name: value}, baseline={name: baseline})
    assert checks.beats_baseline("wine", seen, [name]).holds is better


def test_a_metric_that_is_missing_is_not_better() -> None:
    assert not checks.beats_baseline("wine", job(metrics={}), ["accuracy"]).holds
    assert not checks.beats_baseline("wine", job(metrics=None), ["accuracy"]).holds


def test_figures_are_plausible_within_their_ranges() -> None:
    assert checks.within_range("wine", "wine", job()).holds
    low = job(metrics={"accuracy": 0.5, METRIC: 0.97, "f1_macro": 0.97})
    check = checks.within_range("wine", "wine", low)
    assert not check.holds
    assert "accuracy 0.5" in check.detail
    nan = job(metrics={"accuracy": float("nan"), METRIC: 0.97, "f1_macro": 0.97})
    assert not checks.within_range("wine", "wine", nan).holds


def test_the_trend_has_what_was_there_and_what_was_trained() -> None:
    before, trained = [point(1)], [job(2), job(3)]
    assert all(
        check.holds
        for check in checks.trend_has(before, [point(1), point(2), point(3)], METRIC, trained)
    )


@pytest.mark.parametrize(
    "after",
    [
        [point(1), point(2)],
        [point(1), point(2), point(3), point(4)],
        [point(1), point(2), point(3), point(3)],
        [point(1), point(2, value=0.96), point(3)],
        [point(1), point(2, baseline=0.4), point(3)],
        [point(1), point(2, job_id="another"), point(3)],
    ],
)
def test_the_trend_has_nothing_else(after: list[dict[str, Any]]) -> None:
    assert not all(
        check.holds for check in checks.trend_has([point(1)], after, METRIC, [job(2), job(3)])
    )


def test_usage_grows_by_exactly_what_is_due() -> None:
    before = {"jobs": Decimal(3)}
    due = {"jobs": Decimal(4), "training_seconds": Decimal("8.5")}
    right = {"jobs": Decimal(7), "training_seconds": Decimal("8.509")}
    assert all(check.holds for check in checks.usage_grew(before, right, due))
    wrong = {"jobs": Decimal(8), "training_seconds": Decimal("8.52")}
    assert not any(check.holds for check in checks.usage_grew(before, wrong, due))
    assert not any(check.holds for check in checks.usage_grew(before, {}, due))


def test_a_webhook_counts_once() -> None:
    first = {"event_id": "a", "duplicate": False}
    again = {"event_id": "a", "duplicate": True}
    assert all(check.holds for check in checks.webhook_once(first, again, 401, "unauthorized"))
    other = {"event_id": "b", "duplicate": False}
    assert [check.holds for check in checks.webhook_once(first, other, 202, "")] == [
        True,
        False,
        False,
    ]


def test_the_journey_is_one_thread() -> None:
    version = {"job_id": "job-1", "version": 1, "metrics": job()["metrics"]}
    assert checks.one_journey("event", job(), version).holds
    assert not checks.one_journey("another", job(), version).holds
    assert not checks.one_journey("event", job(), {**version, "job_id": "another"}).holds
    assert not checks.one_journey("event", job(origin="api"), version).holds
