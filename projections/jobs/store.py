"""Rows of the jobs view: loaded, folded and written by the batch."""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from projections.jobs.fold import JobRow, Moment
from projections.jobs.tables import read_jobs
from schemas.measures import compared

Key = tuple[UUID, UUID]

WRITE = text("""
    INSERT INTO read_jobs (generation, tenant_id, id, version, state, kind, model, document,
        created_at, updated_at)
    SELECT :generation, * FROM unnest(
        CAST(:tenants AS uuid[]), CAST(:ids AS uuid[]), CAST(:versions AS bigint[]),
            CAST(:states AS text[]),
        CAST(:kinds AS text[]), CAST(:models AS text[]),
            CAST(CAST(:documents AS text[]) AS jsonb[]),
        CAST(:created AS timestamptz[]), CAST(:updated AS timestamptz[]))
    ON CONFLICT (generation, tenant_id, id) DO UPDATE
    SET version = excluded.version, state = excluded.state, document = excluded.document,
        updated_at = excluded.updated_at
    WHERE read_jobs.version < excluded.version
""")
NOTE = text("""
    INSERT INTO read_job_timeline (generation, tenant_id, job_id, event_id, version, type, time,
        data)
    SELECT :generation, * FROM unnest(
        CAST(:tenants AS uuid[]), CAST(:jobs AS uuid[]), CAST(:events AS uuid[]),
            CAST(:versions AS bigint[]),
        CAST(:types AS text[]), CAST(:times AS timestamptz[]),
            CAST(CAST(:data AS text[]) AS jsonb[]))
    ON CONFLICT DO NOTHING
""")
LIVE = "generation = (SELECT live FROM projection_heads WHERE view = 'jobs')"
# The measures of a job can be hundreds of kilobytes: those of one are read by its id.
NEWEST = text(
    f"SELECT document - 'details' FROM read_jobs WHERE {LIVE} ORDER BY created_at DESC, id DESC "
    "LIMIT :limit"
)
ONE = text(f"SELECT document FROM read_jobs WHERE {LIVE} AND id = :id")
TIMELINE = text(f"""
    SELECT event_id, version, type, time, data FROM read_job_timeline WHERE {LIVE} AND job_id = :id
    ORDER BY time, version
""")


async def load(tx: AsyncConnection, generation: int, keys: Iterable[Key]) -> dict[Key, JobRow]:
    """The rows that exist among `keys`."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    rows = await tx.execute(
        select(read_jobs).where(
            read_jobs.c.generation == generation,
            tuple_(read_jobs.c.tenant_id, read_jobs.c.id).in_(wanted),
        )
    )
    return {(row["tenant_id"], row["id"]): _row(row) for row in rows.mappings()}


async def write(tx: AsyncConnection, generation: int, rows: Sequence[JobRow]) -> None:
    """Insert or move forward."""
    if not rows:
        return
    await tx.execute(
        WRITE,
        {
            "generation": generation,
            "tenants": [one.tenant for one in rows],
            "ids": [one.id for one in rows],
            "versions": [one.version for one in rows],
            "states": [one.state for one in rows],
            "kinds": [one.kind for one in rows],
            "models": [one.model for one in rows],
            "documents": [json.dumps(one.document) for one in rows],
            "created": [one.created_at for one in rows],
            "updated": [one.updated_at for one in rows],
        },
    )


async def note(tx: AsyncConnection, generation: int, moments: Sequence[Moment]) -> None:
    """Add lines to timelines; one that is there already stays."""
    if not moments:
        return
    await tx.execute(
        NOTE,
        {
            "generation": generation,
            "tenants": [one.tenant for one in moments],
            "jobs": [one.job_id for one in moments],
            "events": [one.event_id for one in moments],
            "versions": [one.version for one in moments],
            "types": [one.type for one in moments],
            "times": [one.time for one in moments],
            "data": [json.dumps(one.data) for one in moments],
        },
    )


async def newest(tx: AsyncConnection, limit: int) -> list[dict[str, Any]]:
    """The tenant's jobs, newest first."""
    return [
        compared(document) for document in (await tx.execute(NEWEST, {"limit": limit})).scalars()
    ]


async def one(tx: AsyncConnection, job_id: UUID) -> dict[str, Any] | None:
    """One job of the tenant, with its timeline."""
    document = (await tx.execute(ONE, {"id": job_id})).scalar_one_or_none()
    if document is None:
        return None
    timeline = (await tx.execute(TIMELINE, {"id": job_id})).mappings()
    return {**compared(document), "timeline": [shown(line) for line in timeline]}


def shown(line: Any) -> dict[str, Any]:
    """A line of the timeline as people read it."""
    return {
        "type": line["type"],
        "time": line["time"].isoformat(),
        "version": line["version"],
        "event_id": str(line["event_id"]),
        **line["data"],
    }


def _row(row: RowMapping) -> JobRow:
    return JobRow(
        row["tenant_id"],
        row["id"],
        row["version"],
        row["state"],
        row["kind"],
        row["model"],
        row["document"],
        row["created_at"],
        row["updated_at"],
    )
