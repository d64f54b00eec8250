"""The object store as processes use it: each tenant within its bytes, and some of the disk kept
free for the webhook endpoint.
"""

import asyncio
import errno
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from compose.settings import Settings
from compose.storage import store
from compose.storage.local import LocalObjects
from compose.storage.object_store_url import open_objects
from compose.storage.turns import Turns
from producers.ports import Stored
from schemas.errors import Refusal
from schemas.ports import Transactions

STEP_BYTES = 16 << 20
STEP_SECONDS = 600.0


@dataclass(frozen=True)
class MeteredObjects:
    """Objects whose bytes are reserved before they are written, in a transaction of its own each
    time.

    A key is `tenants/<tenant>/…`. `limit_bytes` holds for tenants without a limit of their own;
    `free_bytes` of the disk are left free. Of one tenant one such transaction runs at a time.
    """

    objects: LocalObjects
    begin: Transactions
    limit_bytes: float
    free_bytes: int
    turns: Turns = field(default_factory=Turns)

    async def check(self) -> None:
        """Raises what is transient while the store is away, or its disk is as full as uploads
        may make it.
        """
        await self.objects.check()
        await self._room(0)

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], size_bytes: int | None = None
    ) -> Stored:
        """Write an object durably; nothing is left of it when `chunks` raises. `size_bytes` is the
        most to expect.

        Raises Refusal `quota_exceeded`, and OSError where the disk is too full.
        """
        await self._hold(key, size_bytes or 0)
        try:
            stored = await self.objects.put(key, self._held(key, chunks, size_bytes or 0))
            await self._hold(key, stored.size_bytes, room=0)
        except BaseException:
            await self._let_go(key)
            raise
        return stored

    async def put_file(self, key: str, path: Path) -> None:
        """Write a file durably; raises Refusal `quota_exceeded`."""
        await self._hold(key, path.stat().st_size)
        try:
            await self.objects.put_file(key, path)
        except BaseException:
            await self._let_go(key)
            raise

    async def fetch(self, key: str, path: Path) -> None:
        """Copy an object to a file; raises ObjectMissing."""
        await self.objects.fetch(key, path)

    async def open(self, key: str, *, size_bytes: int, sha256: str) -> AsyncIterator[bytes]:
        """The chunks of an object of this size and SHA-256.

        Raises ObjectMissing and ObjectDamaged before the first.
        """
        return await self.objects.open(key, size_bytes=size_bytes, sha256=sha256)

    async def read(self, key: str) -> bytes | None:
        """A small object's bytes, None when there is no such object."""
        return await self.objects.read(key)

    async def delete(self, key: str) -> None:
        """Remove it, and then its bytes from the tenant's; nothing happens where there is none."""
        await self.objects.delete(key)
        if (tenant := tenant_of(key)) is not None:
            async with self.turns.of(tenant), self.begin() as tx:
                await store.forget(tx, tenant, key)

    async def folders(self, pattern: str) -> Sequence[str]:
        """Every folder whose path fits the pattern (`*` is one step)."""
        return await self.objects.folders(pattern)

    async def names(self, folder: str) -> Sequence[str]:
        """The objects in a folder, without its path."""
        return await self.objects.names(folder)

    async def delete_folder(self, folder: str) -> None:
        """Remove a folder that is empty; another one stays."""
        await self.objects.delete_folder(folder)

    async def _held(
        self, key: str, chunks: AsyncIterator[bytes], held: int
    ) -> AsyncIterator[bytes]:
        """The same bytes; past what is reserved more is reserved, a step ahead, and the disk is
        looked at.

        The reservation is renewed at each look: to the sweeper a slow upload is as old as its last
        one.
        """
        loop = asyncio.get_running_loop()
        size, looked, looked_at = 0, 0, loop.time()
        async for chunk in chunks:
            size += len(chunk)
            if size > held:
                held = await self._hold_more(key, size, held)
            elif size - looked >= STEP_BYTES or loop.time() - looked_at >= STEP_SECONDS:
                await self._room(0)
                await self._renew(key)
                looked, looked_at = size, loop.time()
            yield chunk

    async def _hold_more(self, key: str, size: int, held: int) -> int:
        """What is then held: a step more where that fits, else just this."""
        wanted = max(size, held + STEP_BYTES) if held else size
        try:
            await self._hold(key, wanted, room=0)
        except Refusal:
            wanted = size
            await self._hold(key, wanted, room=0)
        return wanted

    async def _hold(self, key: str, size_bytes: int, room: int | None = None) -> None:
        await self._room(size_bytes if room is None else room)
        if (tenant := tenant_of(key)) is not None:
            async with self.turns.of(tenant), self.begin() as tx:
                await store.hold(tx, tenant, key, size_bytes, self.limit_bytes)

    async def _renew(self, key: str) -> None:
        if (tenant := tenant_of(key)) is not None:
            with suppress(Exception):  # the next look renews it
                async with self.turns.of(tenant), self.begin() as tx:
                    await store.renew(tx, tenant, key)

    async def _let_go(self, key: str) -> None:
        with suppress(Exception):  # the sweeper removes what stays
            await self.delete(key)

    async def _room(self, size_bytes: int) -> None:
        free = await self.objects.free_bytes()
        if free - size_bytes < self.free_bytes:
            raise OSError(
                errno.ENOSPC, f"only {free} bytes are free on the disk of the object store"
            )


async def open_metered(settings: Settings, begin: Transactions, free_bytes: int) -> MeteredObjects:
    """The store of the settings; its directory is made where nothing was ever stored, and only
    then.

    Else a directory without the mark of a store is a volume that is not mounted.
    """
    async with begin() as tx:
        is_new = not await store.has_any(tx)
    objects = open_objects(settings.object_store, make=is_new)
    return MeteredObjects(objects, begin, settings.tenant_storage_bytes, free_bytes)


def tenant_of(key: str) -> UUID | None:
    """Whose an object is; None for a key that is no tenant's."""
    parts = key.split("/")
    if len(parts) < 3 or parts[0] != "tenants":
        return None
    try:
        return UUID(parts[1])
    except ValueError:
        return None
