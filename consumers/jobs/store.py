"""Rows of jobs: locked together, in the order of their ids, and written together."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.jobs.job import TRANSITIONS, Job, State
from consumers.jobs.tables import jobs
from schemas.event import Cause

Key = tuple[UUID, UUID]
"""(tenant, job)"""


async def lock(tx: AsyncConnection, keys: Iterable[Key]) -> dict[Key, Job]:
    """The jobs that exist among `keys`, locked until the transaction ends."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    query = select(jobs).where(tuple_(jobs.c.tenant_id, jobs.c.id).in_(wanted))
    rows = await tx.execute(query.order_by(jobs.c.tenant_id, jobs.c.id).with_for_update())
    return {(row["tenant_id"], row["id"]): _job(row) for row in rows.mappings()}


async def lock_waiting(tx: AsyncConnection, tenant: UUID, dataset_id: UUID) -> Sequence[Job]:
    """The jobs that wait for a dataset, locked."""
    query = select(jobs).where(
        jobs.c.tenant_id == tenant, jobs.c.dataset_id == dataset_id, jobs.c.state == "accepted"
    )
    rows = await tx.execute(query.order_by(jobs.c.tenant_id, jobs.c.id).with_for_update())
    return [_job(row) for row in rows.mappings()]


async def state_of(tx: AsyncConnection, job_id: UUID) -> State | None:
    """The state of a job of the transaction's tenant; None while ingest has not got to it."""
    return (await tx.execute(select(jobs.c.state).where(jobs.c.id == job_id))).scalar_one_or_none()


async def is_over(tx: AsyncConnection, tenant: UUID, job_id: UUID) -> bool:
    """Whether nothing can happen to a job any more; one that is unknown is over."""
    query = select(jobs.c.state).where(jobs.c.tenant_id == tenant, jobs.c.id == job_id)
    state = (await tx.execute(query)).scalar_one_or_none()
    return state is None or not TRANSITIONS[state]


async def existing(tx: AsyncConnection, ids: Collection[UUID]) -> set[UUID]:
    """Those of the tenant's jobs that exist among `ids`.

    Without a tenant's transaction, of all tenants.
    """
    return set((await tx.execute(select(jobs.c.id).where(jobs.c.id.in_(ids)))).scalars())


async def create(tx: AsyncConnection, new: Sequence[Job]) -> None:
    """Insert jobs that do not exist yet."""
    if new:
        await tx.execute(insert(jobs), [_row(job) for job in new])


async def save(tx: AsyncConnection, job: Job) -> None:
    """Write what can change of a job; the database refuses an illegal transition."""
    await tx.execute(
        update(jobs)
        .where(jobs.c.tenant_id == job.tenant, jobs.c.id == job.id)
        .values(
            state=job.state,
            aggregate_version=job.version,
            attempt=job.attempt,
            cancel_reason=job.cancel_reason,
            failure=job.failure,
            updated_at=func.headrace_clock(),
        )
    )


def _job(row: RowMapping) -> Job:
    return Job(
        row["tenant_id"],
        row["id"],
        row["state"],
        row["aggregate_version"],
        row["kind"],
        row["dataset_id"],
        row["target"],
        row["model"],
        row["options"],
        row["attempt"],
        row["cancel_reason"],
        row["failure"],
        Cause(row["cause_id"], row["tenant_id"], row["correlation_id"], row["traceparent"]),
        row["created_at"],
    )


def _row(job: Job) -> dict[str, Any]:
    return {
        "tenant_id": job.tenant,
        "id": job.id,
        "state": job.state,
        "aggregate_version": job.version,
        "kind": job.kind,
        "dataset_id": job.dataset_id,
        "target": job.target,
        "model": job.model,
        "options": job.options,
        "attempt": job.attempt,
        "cancel_reason": job.cancel_reason,
        "failure": job.failure,
        "cause_id": job.cause.id,
        "correlation_id": job.cause.correlation,
        "traceparent": job.cause.traceparent,
        "created_at": job.created_at,
    }
