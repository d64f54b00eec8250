"""Rows of tenants and keys."""

from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from producers.access.principal import Principal
from producers.access.tables import api_keys, tenants

FIND_KEY = text("SELECT tenant_id, id, name, limits FROM headrace_find_limited_api_key(:hash)")


async def find_key(tx: AsyncConnection, key_hash: bytes) -> Principal | None:
    """Whom a key speaks for; None when it is unknown or revoked."""
    row = (await tx.execute(FIND_KEY, {"hash": key_hash})).one_or_none()
    return None if row is None else Principal(row.tenant_id, row.id, row.name, row.limits)


async def ensure_tenant(tx: AsyncConnection, tenant: UUID, name: str) -> UUID:
    """The tenant of that name; `tenant` is its id when it is new."""
    await tx.execute(upsert(tenants).values(tenant_id=tenant, name=name).on_conflict_do_nothing())
    return (await tx.execute(tenants.select().where(tenants.c.name == name))).one().tenant_id  # type: ignore[no-any-return]


async def tenant_named(tx: AsyncConnection, name: str) -> UUID | None:
    """The tenant of that name."""
    return (
        await tx.execute(select(tenants.c.tenant_id).where(tenants.c.name == name))
    ).scalar_one_or_none()


async def add_key(
    tx: AsyncConnection, tenant: UUID, key_id: UUID, name: str, key_hash: bytes
) -> None:
    """One more key for a tenant."""
    await tx.execute(insert(api_keys).values(tenant_id=tenant, id=key_id, name=name, hash=key_hash))
