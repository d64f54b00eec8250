"""Transactions of tenants, so many of each at once: those of one leave room for others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from compose.postgres.tenant_transaction import tenant_transaction


class TenantShare:
    """Begins transactions on a pool; past its share a tenant waits for itself, for `seconds`."""

    def __init__(self, api: AsyncEngine, most: int, seconds: float) -> None:
        self._api, self._most, self._seconds = api, most, seconds
        self._shares: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def begin(self, tenant: UUID) -> AsyncIterator[AsyncConnection]:
        """One transaction that sees one tenant's rows; TimeoutError if its share stays taken."""
        share = self._shares.get(tenant)
        if share is None:
            share = self._shares[tenant] = asyncio.Semaphore(self._most)
        async with asyncio.timeout(self._seconds):
            await share.acquire()
        try:
            async with tenant_transaction(self._api, tenant) as tx:
                yield tx
        finally:
            share.release()
