"""Transactions of the API's role, each with one tenant's rows in sight."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

# The role once more, in the statement that is needed anyway: what a pooler did with the session
# cannot matter then.
BECOME = text(
    "SELECT set_config('role', 'headrace_api', true), set_config('app.tenant', :tenant, true)"
)


@asynccontextmanager
async def tenant_transaction(api: AsyncEngine, tenant: UUID) -> AsyncIterator[AsyncConnection]:
    """One transaction of the API's role that can see one tenant's rows."""
    async with api.begin() as tx:
        await tx.execute(BECOME, {"tenant": str(tenant)})
        yield tx
