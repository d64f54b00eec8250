"""The demo: three data sets in, four models out, by API and by webhook; all of it is checked."""

import json
import secrets
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from compose.cli.client import Client, checked
from compose.cli.failure import CommandFailure
from compose.cli.polling import PATIENCE_SECONDS, follow, wait_for_dataset
from compose.demo import checks
from compose.demo.checks import Check
from compose.demo.data import ALL, BREAST_CANCER, DIABETES, WINE, DataSet, write
from producers.webhooks.verification.standard_webhooks import secret_from, sign

METRIC = "balanced_accuracy"
MAPPING = {"dataset_id": "dataset_id", "target": "target", "model": "model", "options": "options"}
JOBS_SECONDS, VALIDATE_SECONDS, SETTLE_SECONDS = 600.0, 120.0, 30.0

Json = dict[str, Any]
Say = Callable[[str], None]
T = TypeVar("T")


class Training(NamedTuple):
    """One that is shown: what it is called, what it is of, and how it was asked for."""

    label: str
    data: DataSet
    by: str


def run(api: Client, say: Say) -> Json:
    """Do it all; returns what was seen and checked. Raises Failure when the API refuses."""
    began = time.monotonic()
    found: list[Check] = []
    used, points = settled(lambda: _usage(api)), _trend(api)
    action = {"kind": "command", "command": "train", "mapping": MAPPING}
    # A source for each run: the secret of an older one cannot be asked for.
    source = api.post("/v1/sources", {"name": f"demo-{secrets.token_hex(3)}", "action": action})
    say(f"source {source['name']} trains from webhooks at {source['url']}")
    uploaded = _upload(api, say, found)

    def start(data: DataSet, seed: int) -> str:
        asked = {"kind": "train", **_training(data, uploaded, seed)}
        return str(api.post("/v1/jobs", asked)["id"])

    asked = {
        start(WINE, 1): Training("wine", WINE, "API"),
        start(DIABETES, 1): Training("diabetes", DIABETES, "API"),
    }
    say("wine and diabetes asked for with POST /v1/jobs")
    accepted = _deliver(api, source, _training(BREAST_CANCER, uploaded, 1), say, found)
    webhook_job = _job_of(api, accepted["event_id"])
    asked[webhook_job] = Training("breast cancer", BREAST_CANCER, "webhook")
    jobs = _watch(api, say, asked)
    say("wine asked for again with another seed, for a second version")
    again = {start(WINE, 2): Training("wine, again", WINE, "API")}
    asked, jobs = asked | again, jobs | _watch(api, say, again)

    elapsed = time.monotonic() - began
    found += [checks.succeeded(asked[one].label, job, elapsed) for one, job in jobs.items()]
    done = [(asked[one], job) for one, job in jobs.items() if job["state"] == "succeeded"]
    for one, job in done:
        found.append(checks.beats_baseline(one.label, job, one.data.metrics))
        found.append(checks.within_range(one.label, one.data.name, job))
    wine = [job for one, job in done if one.data is WINE]
    trend = _when(
        lambda: _trend(api), lambda seen: checks.trend_has(points, seen, METRIC, wine), found
    )
    due = {
        "webhook_events": Decimal(1),
        "jobs": Decimal(len(done)),
        "dataset_rows": Decimal(sum(data.rows for data in uploaded)),
        "training_seconds": sum(
            [Decimal(str(job["details"]["seconds"])) for _, job in done], Decimal()
        ),
    }
    use = _when(lambda: _usage(api), lambda seen: checks.usage_grew(used, seen, due), found)
    return {
        "trainings": [
            {"label": asked[one].label, "by": asked[one].by, "job": job}
            for one, job in jobs.items()
        ],
        "trend": trend,
        "usage": {
            meter: {"before": str(used.get(meter, 0)), "after": str(value)}
            for meter, value in sorted(use.items())
        },
        "journey": _journey(api, accepted, jobs[webhook_job], found),
        "checks": [asdict(check) for check in found],
        "ok": all(check.holds for check in found),
        "seconds": round(time.monotonic() - began, 3),
    }


def settled(look: Callable[[], T], holds: Callable[[T], bool] = lambda _: True) -> T:
    """What is seen once it holds and a second look finds the same; else what is seen in the end."""
    deadline = time.monotonic() + SETTLE_SECONDS
    seen = look()
    while time.monotonic() < deadline:
        time.sleep(1.0)  # a record counted twice would come late
        before, seen = seen, look()
        if seen == before and holds(seen):
            break
    return seen


def _when(look: Callable[[], T], check: Callable[[T], list[Check]], found: list[Check]) -> T:
    seen = settled(look, lambda seen: all(one.holds for one in check(seen)))
    found += check(seen)
    return seen


def _upload(api: Client, say: Say, found: list[Check]) -> dict[DataSet, str]:
    uploaded = {}
    with tempfile.TemporaryDirectory(prefix="headrace-demo-") as directory:
        for data in ALL:
            answer = api.upload("/v1/datasets", write(data, Path(directory)), {"name": data.name})
            dataset = wait_for_dataset(api, answer["id"], VALIDATE_SECONDS)
            found.append(checks.has_rows(data.name, dataset, data.rows))
            uploaded[data] = str(dataset["id"])
            rows = f"{dataset['state']}, {dataset['rows']} rows"
            say(f"{data.name}.csv uploaded: {rows}, to predict {data.target}")
    return uploaded


def _training(data: DataSet, uploaded: Mapping[DataSet, str], seed: int) -> Json:
    options = {"seed": seed}
    return {
        "dataset_id": uploaded[data],
        "target": data.target,
        "model": data.model,
        "options": options,
    }


def _deliver(api: Client, source: Json, payload: Json, say: Say, found: list[Check]) -> Json:
    """Send a signed webhook, the same again, and a forged one; returns the first answer."""
    body, message_id = json.dumps(payload).encode(), f"msg_{uuid.uuid4().hex}"

    def sent(secret: str, message: str) -> Any:
        headers = sign(body, secret, message_id=message, now=datetime.now(UTC))
        return api.deliver(f"/hooks/{source['id']}", body, headers)

    first, again = (checked(sent(source["secret"], message_id)) for _ in range(2))
    forged = sent(secret_from(secrets.token_bytes(32)), f"{message_id}_forged")
    refused = forged.status_code, str(forged.json().get("code", ""))
    found += checks.webhook_once(first, again, *refused)
    duplicate = str(again["duplicate"]).lower()
    say(f"breast cancer by signed webhook: 202; again: duplicate {duplicate}; forged: {refused[0]}")
    return dict(first)


def _job_of(api: Client, event_id: str) -> str:
    """The id of the job that a webhook's event began."""

    def look() -> str | None:
        jobs = api.get("/v1/jobs", patience_seconds=PATIENCE_SECONDS, limit=200)["data"]
        return next((str(job["id"]) for job in jobs if job["correlation_id"] == event_id), None)

    found = settled(look, lambda job_id: job_id is not None)
    if found is None:
        raise CommandFailure(
            f"the webhook's event {event_id} began no job", "headrace dead-letters list"
        )
    return found


def _watch(api: Client, say: Say, asked: Mapping[str, Training]) -> dict[str, Json]:
    """The jobs once they are over; each new state is said."""
    seen: dict[str, Json] = {}
    states: dict[str, str] = {}
    for seen in follow(api, list(asked), JOBS_SECONDS):
        for one, job in seen.items():
            if states.get(one) != job["state"]:
                states[one] = job["state"]
                say(f"  {asked[one].label:<14} {job['state']}")
    return seen


def _trend(api: Client) -> list[Json]:
    which = {"model": WINE.model, "metric": METRIC}
    return list(api.get("/v1/metric-trends", patience_seconds=PATIENCE_SECONDS, **which)["data"])


def _usage(api: Client) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for row in api.get("/v1/usage", patience_seconds=PATIENCE_SECONDS, window="month")["data"]:
        sums[row["meter"]] = sums.get(row["meter"], Decimal(0)) + Decimal(str(row["value"]))
    return sums


def _journey(api: Client, accepted: Json, job: Json, found: list[Check]) -> Json | None:
    if job["state"] != "succeeded":
        return None
    name, version = job["model"]["name"], job["model"]["version"]
    made = api.get(f"/v1/models/{name}/versions/{version}", patience_seconds=PATIENCE_SECONDS)
    found.append(checks.one_journey(accepted["event_id"], job, made))
    ids = {
        "request_id": accepted["request_id"],
        "event_id": accepted["event_id"],
        "job_id": job["id"],
    }
    return {**ids, "model": name, "version": version, "timeline": job["timeline"]}
