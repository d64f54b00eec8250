"""Rows that the owners hold before an event comes."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.ingest import store as datasets
from consumers.ingest.dataset import Dataset, State
from consumers.jobs import store as jobs
from consumers.jobs.job import Job
from consumers.jobs.job import State as JobState
from producers.webhooks.sources import store as sources
from producers.webhooks.sources.store import NewRow
from schemas.datasets import Column, DatasetSubmitted
from schemas.event import Cause, Event
from schemas.jobs import Artifact, JobCancelRequested, JobQueued, JobRequested, JobTrained
from schemas.webhooks import WebhookReceived
from tests.factories import door_event, new_id

COLUMNS = (Column(name="a", type="number"), Column(name="target", type="text"))


async def given_dataset(
    tx: AsyncConnection, tenant: UUID, state: State = "validated", dataset_id: UUID | None = None
) -> Dataset:
    """A data set of two columns in a state."""
    decided = state == "validated"
    dataset = Dataset(
        tenant,
        dataset_id or new_id(),
        "wine",
        state,
        "tenants/x/datasets/y",
        10,
        "00",
        1 if decided else 0,
        datetime.now(UTC),
        1 if decided else None,
        20 if decided else None,
        COLUMNS if decided else (),
        reason="no table" if state == "rejected" else None,
    )
    await datasets.create(tx, [dataset])
    return dataset


async def given_job(
    tx: AsyncConnection,
    tenant: UUID,
    state: JobState,
    dataset_id: UUID | None = None,
    version: int = 1,
) -> Job:
    """A job in a state, with the chain of the event that asked for it."""
    asked = new_id()
    job = Job(
        tenant,
        new_id(),
        state,
        version,
        "train",
        dataset_id or new_id(),
        "target",
        "wine",
        {},
        1 if state in ("running", "finalizing") else 0,
        None,
        None,
        Cause(asked, tenant, asked, None),
        datetime.now(UTC),
    )
    await jobs.create(tx, [job])
    return job


async def given_source(
    tx: AsyncConnection,
    tenant: UUID,
    mapping: dict[str, str] | None = None,
    action: dict[str, Any] | None = None,
) -> UUID:
    """A source that starts a training from each payload, unless its action is another one."""
    found = mapping or {"dataset_id": "dataset_id", "target": "target", "model": "model"}
    action = action or {"kind": "command", "command": "train", "mapping": found}
    source_id = uuid4()
    new = NewRow(
        tenant,
        source_id,
        uuid4(),
        f"ci {source_id}"[:30],
        "standard_webhooks",
        {},
        action,
        b"sealed",
    )
    await sources.add(tx, new)
    return source_id


def webhook(tenant: UUID, source_id: UUID, body: str = "{}", at: datetime | None = None) -> Event:
    """`webhook.received`."""
    data = WebhookReceived(
        request_id=new_id(),
        source_id=source_id,
        source_name="ci",
        scheme="standard_webhooks",
        external_id=None,
        content_type="application/json",
        size_bytes=len(body),
        sha256="00",
        body_encoding="text",
        body=body,
    )
    return door_event(data, source_id, tenant, at)


def webhooks(count: int) -> list[Event]:
    """So many of one tenant, each of a source of its own."""
    tenant = uuid4()
    return [webhook(tenant, uuid4()) for _ in range(count)]


def submission(
    tenant: UUID, dataset_id: UUID | None = None, name: str = "wine", size_bytes: int = 10
) -> Event:
    """`dataset.submitted`."""
    dataset = dataset_id or new_id()
    data = DatasetSubmitted(
        dataset_id=dataset,
        name=name,
        object_key=f"tenants/{tenant}/datasets/{dataset}",
        size_bytes=size_bytes,
        sha256="00",
        content_type="text/csv",
    )
    return door_event(data, dataset, tenant)


def request(
    tenant: UUID,
    dataset_id: UUID,
    job_id: UUID | None = None,
    target: str = "target",
    **options: object,
) -> Event:
    """`job.requested`."""
    job = job_id or new_id()
    data = JobRequested.model_validate(
        {
            "job_id": job,
            "kind": "train",
            "dataset_id": dataset_id,
            "target": target,
            "model": "wine",
            "options": options,
        }
    )
    return door_event(data, job, tenant)


def cancellation(tenant: UUID, job_id: UUID, reason: str = "enough") -> Event:
    """`job.cancel_requested`."""
    return door_event(JobCancelRequested(job_id=job_id, reason=reason), job_id, tenant)


def queued(job: Job) -> Event:
    """`job.queued`."""
    data = JobQueued(
        job_id=job.id,
        kind="train",
        dataset_id=job.dataset_id,
        dataset_version=1,
        object_key="k",
        columns=COLUMNS,
        target=job.target,
        model=job.model,
        options=job.options,
        reason="its data set is valid",
    )
    return door_event(data, job.id, job.tenant)


def trained(job: Job, artifacts: dict[str, Artifact] | None = None) -> Event:
    """`job.trained`."""
    data = JobTrained(
        job_id=job.id,
        attempt=1,
        kind="train",
        dataset_id=job.dataset_id,
        dataset_version=1,
        target=job.target,
        model=job.model,
        task="classification",
        metrics={"accuracy": 0.9},
        baseline={"accuracy": 0.4},
        details={"seconds": 1.5},
        plan={},
        artifacts=artifacts or {},
        reason="fitted and measured",
    )
    return door_event(data, job.id, job.tenant)
