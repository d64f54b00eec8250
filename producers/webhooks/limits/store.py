"""Rows of tenants' own limits."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from producers.webhooks.tables import tenant_limits


async def own(tx: AsyncConnection, tenant: UUID) -> dict[str, float]:
    """A tenant's own limits by name."""
    query = select(tenant_limits.c.name, tenant_limits.c.value).where(
        tenant_limits.c.tenant_id == tenant
    )
    return {row.name: row.value for row in await tx.execute(query)}


async def put(tx: AsyncConnection, tenant: UUID, values: Mapping[str, float]) -> None:
    """Set some; the others stay."""
    rows = [
        {"tenant_id": tenant, "name": name, "value": value}
        for name, value in sorted(values.items())
    ]
    adding = insert(tenant_limits).values(rows)
    changed = {"value": adding.excluded.value, "updated_at": func.headrace_clock()}
    await tx.execute(
        adding.on_conflict_do_update(index_elements=["tenant_id", "name"], set_=changed)
    )


async def clear(tx: AsyncConnection, tenant: UUID, names: Sequence[str]) -> int:
    """Let the settings hold again; how many were the tenant's own."""
    gone = delete(tenant_limits).where(
        tenant_limits.c.tenant_id == tenant, tenant_limits.c.name.in_(names)
    )
    return (await tx.execute(gone)).rowcount
