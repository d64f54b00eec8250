"""Claim events for a consumer: each counts once, however often it comes."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

CLAIM = text("""
    INSERT INTO processed (event_id, consumer)
    SELECT id, :consumer FROM unnest(CAST(:ids AS uuid[])) AS given(id) ORDER BY id
    ON CONFLICT DO NOTHING
    RETURNING event_id
""")

HOLD = text(
    "SELECT event_id FROM processed WHERE event_id = :id AND consumer = :consumer FOR UPDATE"
)


async def claim(tx: AsyncConnection, consumer: str, ids: Sequence[UUID]) -> set[UUID]:
    """Those of `ids` that this consumer has not had yet.

    They are its own now, if the transaction commits.
    """
    if not ids:
        return set()
    rows = await tx.execute(CLAIM, {"consumer": consumer, "ids": list(ids)})
    return set(rows.scalars())


async def hold(tx: AsyncConnection, consumer: str, event_id: UUID) -> bool:
    """Lock what says that a consumer has had an event; False when it has not had it yet."""
    return (
        await tx.execute(HOLD, {"consumer": consumer, "id": event_id})
    ).scalar_one_or_none() is not None
