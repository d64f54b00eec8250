"""Statements that keep deliveries for so long and no longer.

Those on partitions are the owner's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from producers.webhooks.tables import requests
from schemas.ids import first_at, time_of

TABLES = ("requests", "request_repeats")
"""Partitioned by the day of their ids."""

KEYS_BEFORE = "FROM inbox_keys WHERE seen_at < :before"
EXPIRE_KEYS = text(f"""
    DELETE FROM inbox_keys WHERE ctid = ANY(ARRAY(SELECT ctid {KEYS_BEFORE} ORDER BY seen_at
        LIMIT :limit))
""")
EXPIRED_KEYS = text(f"SELECT count(*) {KEYS_BEFORE}")
REJECTED_BEFORE = "FROM rejected_requests WHERE received_at < :before"
EXPIRE_REJECTED = text(f"""
    DELETE FROM rejected_requests
    WHERE ctid = ANY(ARRAY(SELECT ctid {REJECTED_BEFORE} ORDER BY received_at LIMIT :limit))
""")
EXPIRED_REJECTED = text(f"SELECT count(*) {REJECTED_BEFORE}")

# What a partition ends with, as Postgres writes it; the default one has no end.
PARTITIONS = text("""
    SELECT c.relname AS name,
           substring(pg_get_expr(c.relpartbound, c.oid)
               FROM 'TO \\(''([0-9a-f-]{36})''\\)')::uuid AS ends
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass(:table) ORDER BY ends
""")
# Taken out of its parent and not dropped yet: a sweeper was killed in between.
TAKEN_OUT = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND NOT relispartition
      AND relname ~ ('^' || :table || '_(p[0-9]{8}|before)$')
""")
# A lock on the parent makes every accept wait: rather not today than long.
BRIEFLY = text("SET LOCAL lock_timeout = '100ms'")
OVERLAP = "SELECT EXISTS (SELECT FROM {table}_default WHERE {key} >= :begins AND {key} < :ends)"
ADD = text("SELECT headrace_add_partition(to_regclass(:table), :day)")
LARGE = "SELECT id, event_id FROM {name} WHERE body_key IS NOT NULL AND id < :before ORDER BY id"
CARRY = "INSERT INTO {table} SELECT * FROM {name} WHERE body_key IS NOT NULL AND id = ANY(:ids)"
REST = """
    SELECT {key} AS id, {event} AS event FROM {table}_default
    WHERE {key} > :after AND {key} < :before ORDER BY 1 LIMIT :limit
"""
EVENT = {"requests": "CASE WHEN body_key IS NOT NULL THEN event_id END"}
REMOVE = "DELETE FROM {table}_default WHERE {key} = ANY(:ids)"


@dataclass(frozen=True, slots=True)
class Partition:
    """One day's rows, or all before one."""

    table: str
    name: str
    ends: datetime


async def expire_keys(tx: AsyncConnection, before: datetime, limit: int) -> int:
    """Forget the oldest identities; how many. The same delivery then counts as another one."""
    return (await tx.execute(EXPIRE_KEYS, {"before": before, "limit": limit})).rowcount


async def expired_keys(tx: AsyncConnection, before: datetime) -> int:
    """How many there are to forget."""
    return int((await tx.execute(EXPIRED_KEYS, {"before": before})).scalar_one())


async def expire_rejected(tx: AsyncConnection, before: datetime, limit: int) -> int:
    """Remove the oldest notes of refused deliveries; how many."""
    return (await tx.execute(EXPIRE_REJECTED, {"before": before, "limit": limit})).rowcount


async def expired_rejected(tx: AsyncConnection, before: datetime) -> int:
    """How many there are to remove."""
    return int((await tx.execute(EXPIRED_REJECTED, {"before": before})).scalar_one())


async def add_day(tx: AsyncConnection, table: str, key: str, day: date) -> bool:
    """Make a day's partition; False when it is there, or when the default one has rows of that
    day already.
    """
    await tx.execute(BRIEFLY)
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000
    bounds = {"begins": first_at(int(begins)), "ends": first_at(int(begins) + 86_400_000)}
    if (await tx.execute(text(OVERLAP.format(table=table, key=key)), bounds)).scalar_one():
        return False
    return bool((await tx.execute(ADD, {"table": table, "day": day})).scalar_one())


async def past(tx: AsyncConnection, table: str, before: datetime) -> list[Partition]:
    """The partitions that end before a moment, oldest first."""
    rows = await tx.execute(PARTITIONS, {"table": table})
    ended = [Partition(table, row.name, time_of(row.ends)) for row in rows if row.ends is not None]
    return [one for one in ended if one.ends <= before]


async def take_out(tx: AsyncConnection, partition: Partition, carried: Sequence[UUID]) -> None:
    """Take a partition out of its table.

    The requests `carried` stay behind, in the default partition.
    """
    await tx.execute(BRIEFLY)
    await tx.execute(text(f"ALTER TABLE {partition.table} DETACH PARTITION {partition.name}"))
    if carried:
        given = {"ids": list(carried)}
        await tx.execute(text(CARRY.format(table=partition.table, name=partition.name)), given)


async def taken_out(tx: AsyncConnection, table: str) -> Sequence[str]:
    """What was taken out and not dropped."""
    return (await tx.execute(TAKEN_OUT, {"table": table})).scalars().all()


async def drop(tx: AsyncConnection, name: str) -> int:
    """Drop what was taken out, and nobody reads any more; the rows that it had."""
    await tx.execute(BRIEFLY)
    rows: int = (await tx.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one()
    await tx.execute(text(f"DROP TABLE {name}"))
    return rows


async def count(tx: AsyncConnection, name: str, key: str, before: datetime) -> int:
    """The rows of a partition up to a moment."""
    query = text(f"SELECT count(*) FROM {name} WHERE {key} < :before")
    return int((await tx.execute(query, {"before": bound(before)})).scalar_one())


async def large(tx: AsyncConnection, name: str, before: datetime) -> list[tuple[UUID, UUID]]:
    """Requests and their events whose bodies are in the object store, of one partition."""
    rows = await tx.execute(text(LARGE.format(name=name)), {"before": bound(before)})
    return [(row.id, row.event_id) for row in rows]


async def rest(
    tx: AsyncConnection, table: str, key: str, after: UUID, before: datetime, limit: int
) -> list[tuple[UUID, UUID | None]]:
    """The next old rows that stand in the default partition.

    With the event of those whose body is large.
    """
    query = text(REST.format(table=table, key=key, event=EVENT.get(table, "CAST(NULL AS uuid)")))
    rows = await tx.execute(query, {"after": after, "before": bound(before), "limit": limit})
    return [(row.id, row.event) for row in rows]


async def remove(tx: AsyncConnection, table: str, key: str, ids: Sequence[UUID]) -> int:
    """Delete rows of the default partition; how many."""
    return (
        await tx.execute(text(REMOVE.format(table=table, key=key)), {"ids": list(ids)})
    ).rowcount


async def events_of(tx: AsyncConnection, tenant: UUID, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The events of a tenant's requests, as far as they are still known."""
    query = select(requests.c.id, requests.c.event_id).where(
        requests.c.tenant_id == tenant, requests.c.id.in_(bindparam("ids", expanding=True))
    )
    return {row.id: row.event_id for row in await tx.execute(query, {"ids": list(ids)})}


def bound(before: datetime) -> UUID:
    """The lowest id of a moment."""
    return first_at(int(before.timestamp() * 1000))
