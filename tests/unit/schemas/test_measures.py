"""Which way a metric is better, and what counts as better than the baseline."""

import pytest

from schemas.measures import better, better_than_baseline


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("accuracy", "higher"),
        ("r2", "higher"),
        ("rmse", "lower"),
        ("log_loss", "lower"),
        ("mape", "lower"),
    ],
)
def test_each_metric_has_its_direction(metric: str, direction: str) -> None:
    assert better(metric) == direction


@pytest.mark.parametrize(
    ("task", "value", "baseline", "found"),
    [
        ("classification", 0.9, 0.5, True),
        ("classification", 0.5, 0.5, False),
        ("classification", 0.4, 0.5, False),
        ("regression", 1.0, 2.0, True),
        ("regression", 2.0, 2.0 * (1 + 1e-15), False),  # rounding is no gain
        ("regression", 3.0, 2.0, False),
        (None, 0.9, 0.5, None),
    ],
)
def test_a_gain_counts_and_rounding_does_not(
    task: str | None, value: float, baseline: float, found: bool | None
) -> None:
    name = "rmse" if task == "regression" else "balanced_accuracy"
    assert better_than_baseline(task, {name: value}, {name: baseline}) is found


def test_nothing_is_known_before_it_is_measured() -> None:
    assert better_than_baseline("regression", None, None) is None
    assert better_than_baseline("regression", {"r2": 0.4}, {"r2": 0.0}) is None
