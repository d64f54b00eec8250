"""The jobs view: what it is folded from, and a batch of it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from projections.jobs import store
from projections.jobs.fold import JobRow, fold, moment
from schemas.event import Event
from schemas.topics import JOBS

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class JobsView:
    """One row a job, and its timeline."""

    name = "jobs"
    topics = (JOBS.name,)
    wanted = frozenset(payload.TYPE for payload in JOBS.events)

    async def apply(self, tx: "AsyncConnection", generation: int, events: Sequence[Event]) -> None:
        """Load the batch's rows, fold in order, write those that moved."""
        keys = [(event.tenantid, UUID(event.subject)) for event in events]
        before = await store.load(tx, generation, keys)
        after: dict[store.Key, JobRow | None] = dict(before)
        for key, event in zip(keys, events, strict=True):
            after[key] = fold(after.get(key), event)
        changed = [
            row
            for key, row in sorted(after.items())
            if row is not None and row is not before.get(key)
        ]
        await store.write(tx, generation, changed)
        await store.note(tx, generation, [line for line in map(moment, events) if line is not None])
