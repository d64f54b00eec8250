"""The demo from beginning to end: does everything, shows it on a screen, and returns what was seen and checked."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from compose.cli.client import Client
from compose.cli.watching import follow
from compose.demo import checks, steps
from compose.demo.checks import Check
from compose.demo.data import ALL, BREAST_CANCER, DIABETES, WINE, DataSet

TREND_METRIC = "balanced_accuracy"
FIRST_SEED, SECOND_SEED = 1, 2
JOBS_SECONDS = 600.0


@dataclass(frozen=True)
class Entry:
    """One training that is shown: what it is called, and how it was asked for."""

    label: str
    data: DataSet
    by: str


@dataclass(frozen=True)
class Journey:
    """One webhook on its way; all of it carries the event's id."""

    request_id: str
    event_id: str
    job_id: str
    model: str
    version: int | None
    timeline: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Seen:
    """Everything that the demo shows at its end."""

    trainings: Sequence[tuple[Entry, steps.Job]]
    trend: Sequence[Mapping[str, Any]]
    usage_before: Mapping[str, Decimal]
    usage_after: Mapping[str, Decimal]
    journey: Journey | None
    checks: Sequence[Check]
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether every check does."""
        return all(check.holds for check in self.checks)


class Screen(Protocol):
    """Where it is shown while it happens."""

    def step(self, text: str) -> None:
        """One thing is done."""

    def watching(self, entries: Mapping[str, Entry], jobs: Mapping[str, steps.Job]) -> None:
        """The jobs as they are now, by id."""

    def watched(self) -> None:
        """These jobs are over."""


def run(api: Client, screen: Screen) -> Seen:
    """Do it all. Failure when the API refuses, or nothing happens for too long."""
    began = time.monotonic()
    found: list[Check] = []
    usage_before = steps.usage_at_rest(api)
    trend_before = steps.trend(api, WINE.model, TREND_METRIC)

    source = steps.create_source(api)
    screen.step(f"source {source.name} trains from webhooks at {source.url}")
    uploaded = _upload(api, screen, found)

    wine = Entry("wine", WINE, "API")
    jobs = {steps.start(api, WINE, uploaded[WINE], FIRST_SEED): wine}
    jobs[steps.start(api, DIABETES, uploaded[DIABETES], FIRST_SEED)] = Entry("diabetes", DIABETES, "API")
    screen.step("wine and diabetes asked for with POST /v1/jobs")
    sent = steps.deliver(api, source, steps.training(BREAST_CANCER, uploaded[BREAST_CANCER], FIRST_SEED))
    found += checks.webhook_once(sent.first, sent.again, sent.forged_status, sent.forged_code)
    screen.step(
        f"breast cancer asked for with a signed webhook: 202; again: duplicate {str(sent.again['duplicate']).lower()}; "
        f"forged: {sent.forged_status}"
    )
    webhook_job = steps.job_of(api, sent.first["event_id"])
    jobs[webhook_job] = Entry("breast cancer", BREAST_CANCER, "webhook")
    trainings = _watch(api, screen, jobs)

    again = Entry("wine, again", WINE, "API")
    screen.step("wine asked for again with another seed, for a second version")
    trainings |= _watch(api, screen, {steps.start(api, WINE, uploaded[WINE], SECOND_SEED): again})

    elapsed = time.monotonic() - began
    done = [(entry, job) for entry, job in trainings.values() if job["state"] == "succeeded"]
    for entry, job in trainings.values():
        found.append(checks.succeeded(entry.label, job, elapsed))
    for entry, job in done:
        found.append(checks.beats_baseline(entry.label, job, entry.data.metrics))
        found.append(checks.within_range(entry.label, entry.data.name, job))
    trend = _trend(api, trend_before, [job for entry, job in done if entry.data is WINE], found)
    usage_after = _usage(api, usage_before, uploaded, done, found)
    journey = _journey(api, sent.first, trainings[webhook_job][1], found)
    seconds = time.monotonic() - began
    return Seen(list(trainings.values()), trend, usage_before, usage_after, journey, found, seconds)


def _upload(api: Client, screen: Screen, found: list[Check]) -> dict[DataSet, str]:
    uploaded = {}
    with tempfile.TemporaryDirectory(prefix="headrace-demo-") as directory:
        for data in ALL:
            dataset = steps.upload(api, data, Path(directory))
            found.append(checks.has_rows(data.name, dataset, data.rows))
            uploaded[data] = str(dataset["id"])
            screen.step(
                f"{data.name}.csv uploaded: {dataset['state']}, {dataset['rows']} rows, to predict {data.target}"
            )
    return uploaded


def _watch(api: Client, screen: Screen, entries: Mapping[str, Entry]) -> dict[str, tuple[Entry, steps.Job]]:
    try:
        seen: dict[str, steps.Job] = {}
        for seen in follow(api, list(entries), JOBS_SECONDS):
            screen.watching(entries, seen)
    finally:
        screen.watched()
    return {job_id: (entry, seen[job_id]) for job_id, entry in entries.items()}


def _trend(
    api: Client, before: list[dict[str, Any]], jobs: list[steps.Job], found: list[Check]
) -> list[dict[str, Any]]:
    def check(points: list[dict[str, Any]]) -> list[Check]:
        return checks.trend_has(before, points, TREND_METRIC, jobs)

    points = steps.settled(
        lambda: steps.trend(api, WINE.model, TREND_METRIC), lambda seen: all(one.holds for one in check(seen))
    )
    found += check(points)
    return points


def _usage(
    api: Client,
    before: Mapping[str, Decimal],
    uploaded: Mapping[DataSet, str],
    done: Sequence[tuple[Entry, steps.Job]],
    found: list[Check],
) -> Mapping[str, Decimal]:
    due = {
        "webhook_events": Decimal(1),
        "jobs": Decimal(len(done)),
        "dataset_rows": Decimal(sum(data.rows for data in uploaded)),
        "training_seconds": sum((Decimal(str(job["details"]["seconds"])) for _, job in done), Decimal(0)),
    }
    after = steps.settled(
        lambda: steps.usage(api), lambda seen: all(one.holds for one in checks.usage_grew(before, seen, due))
    )
    found += checks.usage_grew(before, after, due)
    return after


def _journey(api: Client, accepted: Mapping[str, Any], job: steps.Job, found: list[Check]) -> Journey | None:
    if job["state"] != "succeeded":
        return None
    found.append(checks.one_journey(accepted["event_id"], job, steps.version(api, job)))
    name, number = job["model"]["name"], job["model"]["version"]
    return Journey(accepted["request_id"], accepted["event_id"], job["id"], name, number, job["timeline"])
