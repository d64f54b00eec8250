"""Claim events for a consumer: each counts once, however often it comes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.ids import first_at

CLAIM = text("""
    INSERT INTO processed (event_id, consumer)
    SELECT id, :consumer FROM unnest(CAST(:ids AS uuid[])) AS given(id) ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING event_id
""")

# Ids carry the time of their event, or of its first cause.
BEFORE = "FROM processed WHERE event_id < :before"
EXPIRE = text(f"""
    DELETE FROM processed WHERE ctid = ANY(ARRAY(SELECT ctid {BEFORE} ORDER BY event_id LIMIT :limit))
""")
EXPIRED = text(f"SELECT count(*) {BEFORE}")
HOLD = text("SELECT event_id FROM processed WHERE event_id = :id AND consumer = :consumer FOR UPDATE")


async def claim(tx: AsyncConnection, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
    """Those of `ids` that this consumer has not had yet; they are its own now, if the transaction commits."""
    if not ids:
        return set()
    rows = await tx.execute(CLAIM, {"consumer": consumer, "ids": list(ids)})
    return set(rows.scalars())


async def expire(tx: AsyncConnection, before: datetime, limit: int) -> int:
    """Forget the oldest claims; how many. The topics no longer hold their events."""
    return (await tx.execute(EXPIRE, {"before": _bound(before), "limit": limit})).rowcount


async def expired(tx: AsyncConnection, before: datetime) -> int:
    """How many there are to forget."""
    return int((await tx.execute(EXPIRED, {"before": _bound(before)})).scalar_one())


def _bound(before: datetime) -> UUID:
    return first_at(int(before.timestamp() * 1000))


async def hold(tx: AsyncConnection, consumer: str, event_id: UUID) -> bool:
    """Lock what says that a consumer has had an event; False when it has not had it yet."""
    return (await tx.execute(HOLD, {"consumer": consumer, "id": event_id})).scalar_one_or_none() is not None
