"""Old days go as a whole: a partition is taken out and dropped.

What is still needed of it stays in the default one.
"""

import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from producers.webhooks.retention import store
from producers.webhooks.retention.ports import Needed
from schemas.ports import Transactions

log = logging.getLogger(__name__)

NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Days:
    """The days of one table, by the time in the ids of its column `key`; `begin` is the owner's."""

    table: str
    begin: Transactions
    needed: Needed
    ahead: int
    key: str = "id"

    async def sweep(self, before: datetime, batch: int) -> AsyncGenerator[int, None]:
        """Drop the days that ended before, then old rows outside of any day.

        Yields how many rows went.
        """
        async with self.begin() as tx:
            left = await store.taken_out(tx, self.table)
            days = await store.past(tx, self.table, before)
        for name in left:
            yield await self._drop(name)
        for one in days:
            needed = await self._needed(one.name, before)
            async with self.begin() as tx:
                await store.take_out(tx, one, needed)
            yield await self._drop(one.name) - len(needed)
        after, full = NOBODY, True
        while full:
            async with self.begin() as tx:
                rows = await store.rest(tx, self.table, self.key, after, before, batch)
                needed_events = await self.needed([event for _, event in rows if event is not None])
                gone = [one for one, event in rows if event not in needed_events]
                removed = await store.remove(tx, self.table, self.key, gone)
            yield removed
            full = len(rows) == batch
            after = rows[-1][0] if rows else after

    async def due(self, before: datetime) -> int:
        """How many rows would go; this counts them, which a sweep does not."""
        async with self.begin() as tx:
            names = [one.name for one in await store.past(tx, self.table, before)] + [
                f"{self.table}_default"
            ]
            rows = sum([await store.count(tx, name, self.key, before) for name in names])
        return rows - sum([len(await self._needed(name, before)) for name in names])

    async def prepare(self, today: date) -> int:
        """Make the partitions of today and the coming days; how many were missing."""
        made = 0
        for number in range(self.ahead + 1):
            async with self.begin() as tx:
                made += await store.add_day(
                    tx, self.table, self.key, today + timedelta(days=number)
                )
        return made

    async def _needed(self, name: str, before: datetime) -> Sequence[UUID]:
        if self.table != "requests":
            return ()
        async with self.begin() as tx:
            rows = await store.large(tx, name, before)
        needed = await self.needed([event for _, event in rows])
        return [request for request, event in rows if event in needed]

    async def _drop(self, name: str) -> int:
        async with self.begin() as tx:
            rows = await store.drop(tx, name)
        log.info("dropped %s with %d rows", name, rows)
        return rows
