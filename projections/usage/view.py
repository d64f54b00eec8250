"""The usage view."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from projections.usage import store
from projections.usage.fold import sums
from schemas.event import Event
from schemas.topics import USAGE
from schemas.usage import UsageRecorded

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class UsageView:
    """Sums per meter and UTC day."""

    name = "usage"
    topics = (USAGE.name,)
    wanted = frozenset({UsageRecorded.TYPE})

    async def apply(self, tx: "AsyncConnection", generation: int, events: Sequence[Event]) -> None:
        """Add what the insert of the record keys says is new; a copy adds nothing."""
        by_key = {
            (event.tenantid, event.data.period, event.data.record_key): event.data
            for event in events
            if isinstance(event.data, UsageRecorded)
        }
        new = await store.take(tx, generation, list(by_key))
        await store.add(
            tx, generation, sums((key[0], data) for key, data in by_key.items() if key in new)
        )
