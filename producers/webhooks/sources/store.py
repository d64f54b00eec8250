"""Rows of sources."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from producers.webhooks.tables import sources

SHOWN = (sources.c.id, sources.c.name, sources.c.scheme, sources.c.action, sources.c.mapping_version,
         sources.c.created_at)  # fmt: skip


class NameTaken(Exception):
    """Another source of this tenant has the name."""


async def add(
    tx: AsyncConnection, tenant: UUID, source_id: UUID, *, name: str, scheme: str, secret: str, action: dict[str, Any]
) -> RowMapping:
    """Insert a source; raises NameTaken."""
    row = {
        "tenant_id": tenant, "id": source_id, "name": name, "scheme": scheme, "secret": secret, "action": action,
    }  # fmt: skip
    try:
        return (await tx.execute(insert(sources).values(row).returning(*SHOWN))).mappings().one()
    except IntegrityError as error:
        raise NameTaken(name) from error


async def newest(tx: AsyncConnection, limit: int) -> Sequence[RowMapping]:
    """The tenant's sources, newest first."""
    return (await tx.execute(select(*SHOWN).order_by(sources.c.created_at.desc()).limit(limit))).mappings().all()


async def one(tx: AsyncConnection, source_id: UUID) -> RowMapping | None:
    """One source of the tenant."""
    return (await tx.execute(select(*SHOWN).where(sources.c.id == source_id))).mappings().one_or_none()


async def mapping_of(tx: AsyncConnection, tenant: UUID, source_id: UUID) -> tuple[dict[str, Any], int] | None:
    """What a source does with a payload now, and the version of that; for ingest, through its port."""
    query = select(sources.c.action, sources.c.mapping_version)
    row = (await tx.execute(query.where(sources.c.tenant_id == tenant, sources.c.id == source_id))).one_or_none()
    return None if row is None else (row.action, row.mapping_version)
