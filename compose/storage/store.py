"""Rows of stored objects: a row is there before its object, and goes after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from compose.storage.tables import stored_objects, tenant_storage
from schemas.errors import Refusal

HOLD = text(
    "SELECT held, used, allowed FROM headrace_hold_storage(:tenant, :key, :bytes, :setting)"
)
METER = "storage_bytes"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as its row has it."""

    tenant: UUID
    key: str
    size_bytes: int
    created_at: datetime


async def hold(
    tx: AsyncConnection, tenant: UUID, key: str, size_bytes: int, setting: float
) -> None:
    """Hold room for an object of a size; `setting` is the limit of tenants without their own.

    Raises Refusal `quota_exceeded`; `never_fits` in its details where the whole quota is too small.
    """
    given = {"tenant": tenant, "key": key, "bytes": size_bytes, "setting": float(setting)}
    row = (await tx.execute(HOLD, given)).one()
    if not row.held:
        raise Refusal(
            "quota_exceeded",
            f"{size_bytes} bytes more than the {row.used} that are stored would pass the limit "
            f"of {row.allowed}.",
            meter=METER,
            limit=row.allowed,
            used=row.used,
            **({"never_fits": True} if size_bytes > row.allowed else {}),
        )


async def renew(tx: AsyncConnection, tenant: UUID, key: str) -> None:
    """Count the age of an object that is still being written from now."""
    mine = (stored_objects.c.tenant_id == tenant) & (stored_objects.c.object_key == key)
    await tx.execute(update(stored_objects).where(mine).values(created_at=func.headrace_clock()))


async def forget(tx: AsyncConnection, tenant: UUID, key: str) -> None:
    """Remove the row of an object that is gone."""
    await tx.execute(
        delete(stored_objects).where(
            stored_objects.c.tenant_id == tenant, stored_objects.c.object_key == key
        )
    )


async def used_bytes(tx: AsyncConnection, tenant: UUID) -> int:
    """How much a tenant has in the object store."""
    query = select(tenant_storage.c.used_bytes).where(tenant_storage.c.tenant_id == tenant)
    return (await tx.execute(query)).scalar_one_or_none() or 0


async def has_any(tx: AsyncConnection) -> bool:
    """Whether anything was ever stored and is there still."""
    return bool(
        (await tx.execute(select(exists(select(stored_objects.c.object_key))))).scalar_one()
    )


async def unjudged(
    tx: AsyncConnection, before: datetime, after: StoredObject | None, limit: int
) -> list[StoredObject]:
    """The next objects, oldest first, that were written before a moment and were not seen to be
    needed.
    """
    place = tuple_(
        stored_objects.c.created_at, stored_objects.c.tenant_id, stored_objects.c.object_key
    )
    query = select(stored_objects).where(
        ~stored_objects.c.is_needed, stored_objects.c.created_at < before
    )
    if after is not None:
        query = query.where(place > tuple_(after.created_at, after.tenant, after.key))
    rows = await tx.execute(query.order_by(place).limit(limit))
    return [
        StoredObject(row.tenant_id, row.object_key, row.size_bytes, row.created_at) for row in rows
    ]


async def note_needed(tx: AsyncConnection, objects: Sequence[StoredObject]) -> None:
    """Ask of these no more."""
    for one in objects:
        mine = (stored_objects.c.tenant_id == one.tenant) & (stored_objects.c.object_key == one.key)
        await tx.execute(update(stored_objects).where(mine).values(is_needed=True))


async def adopt(tx: AsyncConnection, found: Sequence[StoredObject]) -> int:
    """Add rows of objects that have none, such as those of a version that kept none; how many."""
    rows = [
        {
            "tenant_id": one.tenant,
            "object_key": one.key,
            "size_bytes": one.size_bytes,
            "created_at": one.created_at,
        }
        for one in sorted(found, key=lambda one: (one.tenant, one.key))
    ]
    if not rows:
        return 0
    return (await tx.execute(insert(stored_objects).values(rows).on_conflict_do_nothing())).rowcount


async def unknown(tx: AsyncConnection, found: Sequence[StoredObject]) -> list[StoredObject]:
    """Those of them that have no row."""
    if not found:
        return []
    place = tuple_(stored_objects.c.tenant_id, stored_objects.c.object_key)
    query = select(stored_objects.c.object_key).where(
        place.in_([(one.tenant, one.key) for one in found])
    )
    known = set((await tx.execute(query)).scalars())
    return [one for one in found if one.key not in known]
