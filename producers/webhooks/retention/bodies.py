"""Bodies too large for a record go with their day's folder, but those that somebody may still
take up again.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from producers.webhooks.retention import store
from producers.webhooks.retention.ports import Folders, Needed
from schemas.ports import Transactions

# As `receive.body_key` makes them.
EVERY_DAY = "tenants/*/requests/*"


@dataclass(frozen=True)
class Bodies:
    """The folders of days in the object store.

    What no request names (its accept failed) goes with them.
    """

    folders: Folders
    begin: Transactions
    needed: Needed

    async def sweep(self, before: datetime, batch: int) -> AsyncGenerator[int, None]:
        """Delete the bodies of days that ended before; yields how many went."""
        async for tenant, folder, names in self._past(before, batch):
            removable = await self._removable(tenant, names)
            for name in removable:
                await self.folders.delete(f"{folder}/{name}")
            await self.folders.delete_folder(folder)
            yield len(removable)

    async def due(self, before: datetime) -> int:
        """How many would go."""
        return sum(
            [
                len(await self._removable(tenant, names))
                async for tenant, _, names in self._past(before, 1000)
            ]
        )

    async def _past(
        self, before: datetime, batch: int
    ) -> AsyncIterator[tuple[UUID, str, list[str]]]:
        for folder in await self.folders.folders(EVERY_DAY):
            parts = _parts(folder)
            if parts is None or _end(parts[1]) > before:
                continue
            names = sorted(await self.folders.names(folder))
            for start in range(0, max(1, len(names)), batch):
                yield parts[0], folder, names[start : start + batch]

    async def _removable(self, tenant: UUID, names: list[str]) -> list[str]:
        ids = {UUID(name): name for name in names if _is_id(name)}
        async with self.begin() as tx:
            events = await store.events_of(tx, tenant, list(ids))
        needed = await self.needed(list(events.values()))
        return [name for request, name in ids.items() if events.get(request) not in needed]


def _parts(folder: str) -> tuple[UUID, date] | None:
    _, tenant, _, day = folder.split("/")
    try:
        return UUID(tenant), date.fromisoformat(day)
    except ValueError:
        return None  # not one of ours


def _end(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def _is_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False
