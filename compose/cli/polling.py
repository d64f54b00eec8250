"""Waiting for what was asked for: polls the API until it is over."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from compose.cli.client import Client
from compose.cli.failure import CommandFailure

OVER = frozenset({"succeeded", "failed", "canceled", "expired"})
POLL_SECONDS = 0.5
# A process that was killed is started again well within this time.
PATIENCE_SECONDS = 30.0

Job = dict[str, Any]


def follow(
    api: Client,
    ids: Sequence[str],
    timeout_seconds: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[dict[str, Job]]:
    """The jobs at every poll, until all are over; Failure when that takes too long."""
    began = time.monotonic()
    known: dict[str, Job] = {}
    while True:
        for job_id in ids:
            if job_id not in known or known[job_id]["state"] not in OVER:
                known[job_id] = api.get(f"/v1/jobs/{job_id}", patience_seconds=PATIENCE_SECONDS)
        yield dict(known)
        open_jobs = [job for job in known.values() if job["state"] not in OVER]
        if not open_jobs:
            return
        if timeout_seconds is not None and time.monotonic() - began >= timeout_seconds:
            states = [f"job {job['id']} is {job['state']}" for job in open_jobs]
            raise CommandFailure(f"not over after {timeout_seconds:g} seconds", *states)
        sleep(POLL_SECONDS)


def wait_for_dataset(
    api: Client,
    dataset_id: str,
    timeout_seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """The dataset once it is validated or rejected; Failure when that takes too long."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        found: dict[str, Any] = api.get(
            f"/v1/datasets/{dataset_id}", patience_seconds=PATIENCE_SECONDS
        )
        if found["state"] != "submitted":
            return found
        if time.monotonic() >= deadline:
            raise CommandFailure(
                f"the dataset {dataset_id} is not validated after {timeout_seconds:g} seconds"
            )
        sleep(POLL_SECONDS / 2)


def fraction(job: Job) -> float:
    """How far a job is, from 0 to 1."""
    if job["state"] == "succeeded":
        return 1.0
    return float((job["progress"] or {}).get("fraction", 0.0))


def doing(job: Job) -> str:
    """What a job is at, in a word or two."""
    if job["state"] in OVER:
        return str((job["failure"] or {}).get("code", ""))
    return str((job["progress"] or {}).get("stage", ""))
