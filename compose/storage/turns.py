"""One transaction of a tenant at a time: its many do not take every connection of a pool."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary

TURN_SECONDS = 4.0


class Turns:
    """A lock for each tenant, in this process.

    One that waits for TURN_SECONDS raises TimeoutError.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, tenant: UUID) -> AsyncGenerator[None, None]:
        """Wait for the tenant's turn; it ends with the block."""
        lock = self._locks.setdefault(tenant, asyncio.Lock())
        async with asyncio.timeout(TURN_SECONDS):
            await lock.acquire()
        try:
            yield
        finally:
            lock.release()
