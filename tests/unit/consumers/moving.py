"""A job, a data set and the request that began them, as ingest holds them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from consumers.ingest.dataset import Dataset
from consumers.jobs.job import Job, State
from schemas.datasets import Column
from schemas.event import Event
from schemas.jobs import JobRequested
from tests.factories import door_event, new_id

NOW = datetime(2026, 3, 2, 9, 14, 7, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 9, 14, 8, tzinfo=UTC)
TENANT, JOB, DATASET = new_id(NOW), new_id(NOW), new_id(NOW)
COLUMNS = (
    Column(name="alcohol", type="number", missing=()),
    Column(name="target", type="text", missing=()),
)


def requested(target: str = "target") -> tuple[Event, JobRequested]:
    data = JobRequested(
        job_id=JOB,
        kind="train",
        dataset_id=DATASET,
        target=target,
        model="wine",
        options={"seed": 7},
    )
    return door_event(data, JOB, tenant=TENANT, at=NOW), data


def job(state: State = "accepted", **changes: Any) -> Job:
    event, data = requested()
    whole = Job(
        TENANT,
        JOB,
        state,
        3,
        "train",
        DATASET,
        data.target,
        data.model,
        dict(data.options),
        1,
        None,
        None,
        event.cause,
        NOW,
    )
    return replace(whole, **changes)


def dataset(**changes: Any) -> Dataset:
    whole = Dataset(
        TENANT,
        DATASET,
        "wine",
        "validated",
        "tenants/a/data.csv",
        11157,
        "6aed",
        1,
        NOW,
        version=4,
        rows=178,
        columns=COLUMNS,
    )
    return replace(whole, **changes)
