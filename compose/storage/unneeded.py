"""Objects that nobody needs: of rejected datasets, of attempts that were lost, of uploads that
were cut off.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from compose.storage import store
from compose.storage.metered import MeteredObjects, tenant_of
from compose.storage.store import StoredObject
from schemas.ports import Transactions

Verdict = Literal["needed", "undecided", "unneeded"]
Judge = Callable[[AsyncConnection, UUID, UUID, str], Awaitable[Verdict]]
"""What the owner of (tenant, aggregate) says of an object by its key."""

WALK_EVERY = timedelta(days=1)
CHUNK = 500


@dataclass
class Unneeded:
    """Objects older than a moment, judged by their owners: by the third part of their keys.

    An object that no row lists, such as one of an earlier version, is listed first: the store is
    walked for these at the beginning and once a day.
    """

    objects: MeteredObjects
    begin: Transactions
    judges: Mapping[str, Judge]
    walked_at: datetime | None = field(default=None, init=False)

    async def sweep(self, before: datetime, batch: int) -> AsyncGenerator[int, None]:
        """Remove what nobody needs; yields how many went."""
        await self.objects.check()
        yield await self.objects.objects.remove_leftovers(before)
        if self.walked_at is None or before - self.walked_at >= WALK_EVERY:
            async for found in self._unlisted(before):
                async with self.begin() as tx:
                    await store.adopt(tx, found)
            self.walked_at = before
        async for judged in self._judged(before, batch):
            gone = [one for one, verdict in judged if verdict == "unneeded"]
            for one in gone:
                await self.objects.delete(one.key)
            async with self.begin() as tx:
                await store.note_needed(tx, [one for one, verdict in judged if verdict == "needed"])
            yield len(gone)

    async def due(self, before: datetime) -> int:
        """How many would go."""
        rows = len(await self.objects.objects.leftovers(before))
        async for judged in self._judged(before, CHUNK):
            rows += sum(verdict == "unneeded" for _, verdict in judged)
        async for found in self._unlisted(before):
            async with self.begin() as tx:
                rows += sum([await self._judge(tx, one) == "unneeded" for one in found])
        return rows

    async def _judged(
        self, before: datetime, batch: int
    ) -> AsyncIterator[list[tuple[StoredObject, Verdict]]]:
        last: StoredObject | None = None
        while True:
            async with self.begin() as tx:
                rows = await store.unjudged(tx, before, last, batch)
                judged = [(one, await self._judge(tx, one)) for one in rows]
            yield judged
            if len(rows) < batch:
                return
            last = rows[-1]

    async def _judge(self, tx: AsyncConnection, one: StoredObject) -> Verdict:
        kind, aggregate = _parts(one.key)
        judge = self.judges.get(kind)
        return (
            "needed"
            if judge is None or aggregate is None
            else await judge(tx, one.tenant, aggregate, one.key)
        )

    async def _unlisted(self, before: datetime) -> AsyncIterator[Sequence[StoredObject]]:
        async for found in self.objects.objects.walk(CHUNK):
            ours = [
                StoredObject(tenant, key, size, datetime.fromtimestamp(changed, UTC))
                for key, size, changed in found
                if changed < before.timestamp() and (tenant := tenant_of(key)) is not None
            ]
            async with self.begin() as tx:
                unknown = await store.unknown(tx, ours)
            if unknown:
                yield unknown


def _parts(key: str) -> tuple[str, UUID | None]:
    """The kind of a key and the aggregate it belongs to; a request is below its day."""
    parts = key.split("/")
    place = 4 if parts[2] == "requests" else 3
    try:
        return parts[2], UUID(parts[place])
    except (IndexError, ValueError):
        return parts[2], None
