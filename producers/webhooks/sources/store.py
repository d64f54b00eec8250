"""Rows of sources, their secrets and the versions of their mappings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, func, insert, select, text, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from producers.webhooks.tables import source_mappings, source_secrets, sources

SHOWN = (
    sources.c.id,
    sources.c.name,
    sources.c.scheme,
    sources.c.options,
    sources.c.action,
    sources.c.mapping_version,
    sources.c.version,
    sources.c.paused,
    sources.c.created_at,
    sources.c.updated_at,
)

MAPPINGS = text("""
    SELECT s.tenant_id, s.id, s.action, s.mapping_version FROM sources s
    JOIN unnest(CAST(:tenants AS uuid[]), CAST(:ids AS uuid[])) AS given(tenant_id,
        id) USING (tenant_id, id)
""").columns(sources.c.tenant_id, sources.c.id, sources.c.action, sources.c.mapping_version)


class NameTaken(Exception):
    """Another source of this tenant has the name."""


@dataclass(frozen=True, slots=True)
class NewRow:
    """What a new source is made of; the secret is sealed."""

    tenant: UUID
    id: UUID
    secret_id: UUID
    name: str
    scheme: str
    options: dict[str, Any]
    action: dict[str, Any]
    sealed: bytes


async def add(tx: AsyncConnection, new: NewRow) -> RowMapping:
    """Insert a source, its secret and the first version of its mapping; raises NameTaken."""
    row = {
        "tenant_id": new.tenant,
        "id": new.id,
        "name": new.name,
        "scheme": new.scheme,
        "options": new.options,
        "action": new.action,
    }
    try:
        added = (await tx.execute(insert(sources).values(row).returning(*SHOWN))).mappings().one()
    except IntegrityError as error:
        raise NameTaken(new.name) from error
    await add_secret(tx, new.tenant, new.id, new.secret_id, new.sealed)
    await _note_mapping(tx, new.tenant, new.id, 1, new.action)
    return added


async def newest(
    tx: AsyncConnection,
    limit: int,
    before: tuple[datetime, UUID] | None = None,
    name: str | None = None,
) -> Sequence[RowMapping]:
    """The tenant's sources, newest first: those made before (time, id), or the one of a name."""
    query = select(*SHOWN).order_by(sources.c.created_at.desc(), sources.c.id.desc()).limit(limit)
    if name is not None:
        query = query.where(sources.c.name == name)
    if before is not None:
        query = query.where(tuple_(sources.c.created_at, sources.c.id) < before)
    return (await tx.execute(query)).mappings().all()


async def names_of(tx: AsyncConnection, ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of the tenant's sources among `ids`; those that were deleted have none."""
    rows = await tx.execute(select(sources.c.id, sources.c.name).where(sources.c.id.in_(ids)))
    return {row.id: row.name for row in rows}


async def one(tx: AsyncConnection, source_id: UUID, *, lock: bool = False) -> RowMapping | None:
    """One source of the tenant."""
    query = select(*SHOWN).where(sources.c.id == source_id)
    return (await tx.execute(query.with_for_update() if lock else query)).mappings().one_or_none()


async def change(
    tx: AsyncConnection, tenant: UUID, before: RowMapping, changes: dict[str, Any]
) -> RowMapping:
    """Write changes to a locked source; another action is another version of the mapping.

    Raises NameTaken.
    """
    values = {**changes, "version": before["version"] + 1, "updated_at": func.headrace_clock()}
    if "action" in changes and changes["action"] != before["action"]:
        values["mapping_version"] = before["mapping_version"] + 1
        await _note_mapping(tx, tenant, before["id"], values["mapping_version"], changes["action"])
    try:
        changed = (
            update(sources).where(sources.c.id == before["id"]).values(values).returning(*SHOWN)
        )
        return (await tx.execute(changed)).mappings().one()
    except IntegrityError as error:
        raise NameTaken(changes.get("name", "")) from error


async def remove(tx: AsyncConnection, source_id: UUID) -> None:
    """Delete a source with its secrets and mappings; its requests and events stay."""
    await tx.execute(delete(sources).where(sources.c.id == source_id))


async def add_secret(
    tx: AsyncConnection, tenant: UUID, source_id: UUID, secret_id: UUID, sealed: bytes
) -> None:
    """One more live secret."""
    row = {"tenant_id": tenant, "source_id": source_id, "id": secret_id, "sealed": sealed}
    await tx.execute(insert(source_secrets).values(row))


async def retire_secrets(tx: AsyncConnection, source_id: UUID, at: datetime) -> None:
    """Let the newest live secret end at `at`, unless it ends before.

    Delete all others of the locked source.
    """
    mine, ends = source_secrets.c.source_id == source_id, source_secrets.c.expires_at
    live = select(source_secrets.c.id).where(mine, ends.is_(None) | (ends > func.headrace_clock()))
    newest = (
        live.order_by(source_secrets.c.created_at.desc()).limit(1).correlate(None).scalar_subquery()
    )
    await tx.execute(
        delete(source_secrets).where(mine, source_secrets.c.id.is_distinct_from(newest))
    )
    await tx.execute(
        update(source_secrets).where(mine, ends.is_(None) | (ends > at)).values(expires_at=at)
    )


async def mappings_of(
    tx: AsyncConnection, wanted: Collection[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], tuple[dict[str, Any], int]]:
    """What sources (tenant, source) do with a payload now, and the version of that.

    For ingest, through its port.
    """
    tenants, ids = [tenant for tenant, _ in wanted], [source for _, source in wanted]
    rows = await tx.execute(MAPPINGS, {"tenants": tenants, "ids": ids})
    return {(row.tenant_id, row.id): (row.action, row.mapping_version) for row in rows}


async def _note_mapping(
    tx: AsyncConnection, tenant: UUID, source_id: UUID, version: int, action: dict[str, Any]
) -> None:
    row = {"tenant_id": tenant, "source_id": source_id, "version": version, "action": action}
    await tx.execute(insert(source_mappings).values(row))
