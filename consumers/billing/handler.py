"""Billing, as a consumer: webhooks are counted by the batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumers.billing import store
from consumers.billing.record import webhook_records
from consumers.log.outcome import Applied, Outcome
from schemas.event import Event
from schemas.ports import Clock

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True)
class Billing:
    """The handler that bills jobs and storage."""

    clock: Clock

    async def __call__(self, tx: "AsyncConnection", events: Sequence[Event]) -> Sequence[Outcome]:
        """One record per source and quarter of an hour.

        Its event goes with the first webhook of it.
        """
        now = self.clock.now()
        said = {
            one.event_ids[0]: one.event(now)
            for one in await store.write(tx, webhook_records(list(events)))
        }
        return [Applied((said[event.id],) if event.id in said else ()) for event in events]
