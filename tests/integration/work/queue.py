"""Pieces in a queue, and the database's clock."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from consumers.work import store
from consumers.work.work_item import NewWorkItem, WorkItem
from schemas.event import Cause
from tests.factories import new_id

LEASE_SECONDS = 1.0
QUEUE = "training"


def piece(
    tenant: UUID, priority: int = 0, age_seconds: float = 0.0, max_attempts: int = 3
) -> NewWorkItem:
    """Ready since `age_seconds`."""
    cause = new_id()
    now = datetime.now(UTC)
    return NewWorkItem(
        tenant,
        QUEUE,
        uuid4(),
        {},
        Cause(cause, tenant, cause, None),
        now - timedelta(seconds=age_seconds),
        now + timedelta(hours=1),
        priority,
        max_attempts,
    )


async def put(pipeline: AsyncEngine, *pieces: NewWorkItem) -> None:
    async with pipeline.begin() as tx:
        await store.enqueue(tx, pieces)


async def claim(pipeline: AsyncEngine, lease_seconds: float = LEASE_SECONDS) -> WorkItem | None:
    """As the worker does it."""
    async with pipeline.begin() as tx:
        return await store.claim(tx, QUEUE, lease_seconds)


async def taken(pipeline: AsyncEngine) -> WorkItem:
    """The same when there must be one."""
    found = await claim(pipeline)
    assert found is not None
    return found


async def later(owner: AsyncEngine, seconds: float) -> None:
    """Move the database's clock."""
    async with owner.begin() as tx:
        await tx.execute(
            text("UPDATE clock_offset SET value = value + make_interval(secs => :seconds)"),
            {"seconds": seconds},
        )


async def row(pipeline: AsyncEngine) -> dict[str, object]:
    """The only piece."""
    async with pipeline.begin() as tx:
        return dict((await tx.execute(text("SELECT * FROM work"))).mappings().one())
