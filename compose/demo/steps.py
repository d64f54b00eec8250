"""What the demo asks of the API, one function for each thing."""

import json
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from compose.cli.client import Client, checked
from compose.cli.failure import Failure
from compose.cli.watching import PATIENCE_SECONDS, wait_for_dataset
from compose.demo.data import DataSet, write
from producers.webhooks.verification.standard_webhooks import secret_from, sign

MAPPING = {"dataset_id": "dataset_id", "target": "target", "model": "model", "options": "options"}
SETTLE_SECONDS = 30.0
VALIDATE_SECONDS = 120.0
# A record counted twice would come late; what has settled is looked at once more.
SECOND_LOOK_SECONDS = 1.0
POLL_SECONDS = 0.25
MOST = 200

Job = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """A source, with the secret that is shown once."""

    id: str
    name: str
    url: str
    secret: str


@dataclass(frozen=True)
class Deliveries:
    """What the door said to a webhook, to the same again, and to a forged one."""

    first: dict[str, Any]
    again: dict[str, Any]
    forged_status: int
    forged_code: str


def create_source(api: Client) -> Source:
    """A source that trains; of its own for each run, since the secret of an older one cannot be asked for."""
    name = f"demo-{secrets.token_hex(3)}"
    action = {"kind": "command", "command": "train", "mapping": MAPPING}
    made = api.post("/v1/sources", {"name": name, "action": action})
    return Source(made["id"], name, made["url"], made["secret"])


def upload(api: Client, data: DataSet, directory: Path) -> dict[str, Any]:
    """A data set, uploaded and validated."""
    answer = api.upload("/v1/datasets", write(data, directory), {"name": data.name})
    return wait_for_dataset(api, answer["id"], VALIDATE_SECONDS)


def training(data: DataSet, dataset_id: str, seed: int) -> dict[str, Any]:
    """What a training is asked for with."""
    return {"dataset_id": dataset_id, "target": data.target, "model": data.model, "options": {"seed": seed}}


def start(api: Client, data: DataSet, dataset_id: str, seed: int) -> str:
    """A job through the API; its id."""
    return str(api.post("/v1/jobs", {"kind": "train", **training(data, dataset_id, seed)})["id"])


def deliver(api: Client, source: Source, payload: dict[str, Any]) -> Deliveries:
    """A signed webhook, the same again, and one signed with another secret."""
    body = json.dumps(payload).encode()
    message_id = f"msg_{uuid.uuid4().hex}"
    path = f"/hooks/{source.id}"

    def signed(secret: str, message: str) -> dict[str, str]:
        return sign(body, secret, message_id=message, now=datetime.now(UTC))

    first = checked(api.deliver(path, body, signed(source.secret, message_id)))
    again = checked(api.deliver(path, body, signed(source.secret, message_id)))
    other = secret_from(secrets.token_bytes(32))
    forged = api.deliver(path, body, signed(other, f"{message_id}_forged"))
    return Deliveries(first, again, forged.status_code, str(forged.json().get("code", "")))


def job_of(api: Client, event_id: str) -> str:
    """The id of the job that a webhook's event began."""

    def look() -> str | None:
        jobs = api.get("/v1/jobs", patience_seconds=PATIENCE_SECONDS, limit=MOST)["data"]
        return next((str(job["id"]) for job in jobs if job["correlation_id"] == event_id), None)

    found = settled(look, lambda job_id: job_id is not None)
    if found is None:
        raise Failure(f"the webhook's event {event_id} began no job within {SETTLE_SECONDS:g} seconds",
                      "headrace dead-letters list")  # fmt: skip
    return found


def trend(api: Client, model: str, metric: str) -> list[dict[str, Any]]:
    """The points of a model line, by version."""
    answer = api.get("/v1/metric-trends", patience_seconds=PATIENCE_SECONDS, model=model, metric=metric)
    points: list[dict[str, Any]] = answer["data"]
    return points


def usage(api: Client) -> dict[str, Decimal]:
    """All that was ever used, per meter."""
    sums: dict[str, Decimal] = {}
    for row in api.get("/v1/usage", patience_seconds=PATIENCE_SECONDS, window="month")["data"]:
        sums[row["meter"]] = sums.get(row["meter"], Decimal(0)) + Decimal(str(row["value"]))
    return sums


def usage_at_rest(api: Client) -> dict[str, Decimal]:
    """The same once it stands still: what was used before may still be on its way into the view."""
    seen = usage(api)
    for _ in range(int(SETTLE_SECONDS / SECOND_LOOK_SECONDS)):
        time.sleep(SECOND_LOOK_SECONDS)
        later = usage(api)
        if later == seen:
            break
        seen = later
    return seen


def version(api: Client, job: Job) -> dict[str, Any]:
    """The model version that a job made."""
    path = f"/v1/models/{job['model']['name']}/versions/{job['model']['version']}"
    found: dict[str, Any] = api.get(path, patience_seconds=PATIENCE_SECONDS)
    return found


def settled(
    look: Callable[[], T],
    holds: Callable[[T], bool],
    seconds: float = SETTLE_SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """What is seen once it holds, after a second look; or what is seen at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if holds(seen):
            sleep(SECOND_LOOK_SECONDS)
            return look()
        if time.monotonic() >= deadline:
            return seen
        sleep(POLL_SECONDS)
