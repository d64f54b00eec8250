"""What the demo asserts of everything it shows: pure functions from what was seen to named
checks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

LOWER_IS_BETTER = frozenset({"rmse", "mae"})
RANGES: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "wine": {"accuracy": (0.9, 1.0), "balanced_accuracy": (0.9, 1.0), "f1_macro": (0.9, 1.0)},
    "breast-cancer": {
        "accuracy": (0.9, 1.0),
        "balanced_accuracy": (0.9, 1.0),
        "f1_macro": (0.9, 1.0),
    },
    "diabetes": {"r2": (0.25, 0.65), "rmse": (42.0, 70.0), "mae": (32.0, 58.0)},
}
"""What a sound pipeline reaches on each data set, for any seed."""
SECONDS_WITHIN = Decimal("0.01")
TRENDS_WITHIN = 1e-9
UNAUTHORIZED = 401

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """One thing that must hold, and what was seen."""

    name: str
    holds: bool
    detail: str


def has_rows(name: str, dataset: Json, rows: int) -> Check:
    """The data set was accepted whole."""
    holds = dataset["state"] == "validated" and dataset["rows"] == rows
    return Check(
        f"{name}: every row is in", holds, f"{dataset['state']}, {dataset['rows']} of {rows} rows"
    )


def succeeded(label: str, job: Json, elapsed_seconds: float) -> Check:
    """The job ended well, and its training took less than the whole run."""
    if job["state"] != "succeeded":
        failure = job["failure"] or {}
        said = (
            f"{job['state']} {failure.get('class', '')}/{failure.get('code', '')}: "
            f"{failure.get('message', '')}"
        )
        return Check(f"{label}: the job succeeded", holds=False, detail=said)
    seconds = float(job["details"]["seconds"])
    detail = f"version {job['model']['version']}, {seconds:.1f} s of training"
    return Check(f"{label}: the job succeeded", 0 < seconds < elapsed_seconds, detail)


def beats_baseline(label: str, job: Json, names: Sequence[str]) -> Check:
    """Each named metric is strictly better than the baseline's."""
    metrics, baseline = job["metrics"] or {}, job["baseline"] or {}
    wanting = [name for name in names if not _better(name, metrics.get(name), baseline.get(name))]
    detail = f"not better: {', '.join(wanting)}" if wanting else ", ".join(names)
    return Check(f"{label}: better than the baseline", not wanting, detail)


def within_range(label: str, data: str, job: Json) -> Check:
    """Each metric is where a sound pipeline on this data set gets."""
    metrics = job["metrics"] or {}
    strange = [
        f"{name} {metrics.get(name)} is not in {low:g} to {high:g}"
        for name, (low, high) in RANGES[data].items()
        if name not in metrics or not low <= metrics[name] <= high
    ]
    said = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in RANGES[data].items())
    return Check(f"{label}: figures are plausible", not strange, "; ".join(strange) or said)


def trend_has(
    before: Sequence[Json], after: Sequence[Json], metric: str, jobs: Sequence[Json]
) -> list[Check]:
    """The trend is what it was, and one point for each job, with that job's figures."""
    old = [point["version"] for point in before]
    trained = [job["model"]["version"] for job in jobs]
    seen = [point["version"] for point in after]
    versions = Check(
        "trend: exactly the versions trained",
        None not in trained
        and seen == sorted({*old, *trained})
        and len(seen) == len(old) + len(trained),
        f"versions {_listed(seen)}; before {_listed(old)}, trained {_listed(trained)}",
    )
    points = {point["version"]: point for point in after}
    wrong = [
        job["model"]["version"]
        for job in jobs
        if not _same(points.get(job["model"]["version"]), job, metric)
    ]
    detail = (
        f"versions {_listed(wrong)} differ"
        if wrong
        else f"{metric} and its baseline, to {TRENDS_WITHIN:g}"
    )
    return [versions, Check("trend: the jobs' own figures", not wrong, detail)]


def usage_grew(
    before: Mapping[str, Decimal], after: Mapping[str, Decimal], wanted: Mapping[str, Decimal]
) -> list[Check]:
    """Each meter grew by exactly what the run caused; seconds are rounded for each job."""
    checks = []
    for meter, due in wanted.items():
        grew = after.get(meter, Decimal(0)) - before.get(meter, Decimal(0))
        tolerance = SECONDS_WITHIN if meter == "training_seconds" else Decimal(0)
        checks.append(
            Check(f"usage: {meter}", abs(grew - due) <= tolerance, f"grew by {grew}, due {due}")
        )
    return checks


def webhook_once(first: Json, again: Json, forged_status: int, forged_code: str) -> list[Check]:
    """The same webhook twice is one event, and a forged one is refused."""
    same = first["event_id"] == again["event_id"]
    return [
        Check(
            "webhook: accepted as new", first["duplicate"] is False, f"event {first['event_id']}"
        ),
        Check(
            "webhook: sent again, still one event",
            same and again["duplicate"] is True,
            "the same event id",
        ),
        Check(
            "webhook: a forged one is refused",
            (forged_status, forged_code) == (UNAUTHORIZED, "unauthorized"),
            f"{forged_status} {forged_code}",
        ),
    ]


def one_journey(event_id: str, job: Json, version: Json) -> Check:
    """Webhook, job and model version lead to one another."""
    holds = (
        job["correlation_id"] == event_id
        and job["origin"] == "webhook"
        and version["job_id"] == job["id"]
        and version["version"] == job["model"]["version"]
        and version["metrics"] == job["metrics"]
    )
    return Check(
        "webhook: one thread from request to model",
        holds,
        f"correlation id {job['correlation_id']}",
    )


def _better(name: str, value: float | None, baseline: float | None) -> bool:
    if value is None or baseline is None:
        return False
    return value < baseline if name in LOWER_IS_BETTER else value > baseline


def _same(point: Json | None, job: Json, metric: str) -> bool:
    if point is None or point["job_id"] != job["id"]:
        return False
    pairs = ((point["value"], job["metrics"][metric]), (point["baseline"], job["baseline"][metric]))
    return all(abs(shown - own) <= TRENDS_WITHIN for shown, own in pairs)


def _listed(versions: Sequence[int]) -> str:
    return ", ".join(map(str, versions)) or "none"
