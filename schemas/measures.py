"""Which way a metric is better, and whether a model is better than its baseline: pure."""

from collections.abc import Mapping
from typing import Any, Literal

Better = Literal["higher", "lower"]

LOWER_IS_BETTER = frozenset({"log_loss", "mse", "rmse", "mae", "median_ae", "mape"})
COMPARED_BY: Mapping[str, str] = {"classification": "balanced_accuracy", "regression": "rmse"}
"""The metric of each task by which candidates, and a model and its baseline, are compared."""
ROUNDING = 1e-9


def better(metric: str) -> Better:
    """Whether a higher or a lower value is better."""
    return "lower" if metric in LOWER_IS_BETTER else "higher"


def better_than_baseline(
    task: str | None, metrics: Mapping[str, float] | None, baseline: Mapping[str, float] | None
) -> bool | None:
    """Whether the model beats the dummy on the held-out rows; None while that is not known."""
    metric = COMPARED_BY.get(task or "", "")
    value, dummy = (metrics or {}).get(metric), (baseline or {}).get(metric)
    if value is None or dummy is None:
        return None
    gain = dummy - value if better(metric) == "lower" else value - dummy
    return gain > ROUNDING * abs(dummy)


def compared(shown: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a job or a model version, with `better_than_baseline` added."""
    found = better_than_baseline(shown.get("task"), shown.get("metrics"), shown.get("baseline"))
    return {**shown, "better_than_baseline": found}
