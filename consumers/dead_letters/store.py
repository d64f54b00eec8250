"""Rows of dead letters."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ARRAY, RowMapping, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.dead_letters.letter import DeadLetter, storable
from consumers.dead_letters.tables import dead_letters
from schemas.log import pack_headers


async def park(tx: AsyncConnection, letters: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
    """Keep them; returns those that were not kept before."""
    if not letters:
        return ()
    rows = [
        {
            "tenant_id": letter.tenant,
            "id": letter.id,
            "consumer": letter.consumer,
            "event_id": letter.event_id,
            "topic": letter.record.topic,
            "partition": letter.record.partition,
            "offset": letter.record.offset,
            "key": letter.record.key,
            "value": letter.record.value,
            "headers": pack_headers(letter.record.headers),
            "error_class": letter.error_class,
            "error": storable(letter.error),
            "fingerprint": letter.fingerprint,
            "attempts": letter.attempts,
            "state": "parked",
        }
        for letter in letters
    ]
    inserted = await tx.execute(insert(dead_letters).values(rows).on_conflict_do_nothing().returning(dead_letters.c.id))
    new = set(inserted.scalars())
    return [letter for letter in letters if letter.id in new]


# Over for good: nobody takes it up again.
CLOSED = ("discarded", "applied")


async def open_events(tx: AsyncConnection, events: Sequence[UUID]) -> set[UUID]:
    """Those of `events` that a dead letter holds which may still be taken up again."""
    query = select(dead_letters.c.event_id).where(
        dead_letters.c.event_id == any_(bindparam("events", type_=ARRAY(Uuid))), dead_letters.c.state.not_in(CLOSED)
    )
    return set((await tx.execute(query, {"events": list(events)})).scalars())


SHOWN = (
    dead_letters.c.id, dead_letters.c.consumer, dead_letters.c.event_id, dead_letters.c.topic,
    dead_letters.c.partition, dead_letters.c.offset, dead_letters.c.error_class, dead_letters.c.error,
    dead_letters.c.fingerprint, dead_letters.c.attempts, dead_letters.c.state, dead_letters.c.created_at,
)  # fmt: skip


async def newest(tx: AsyncConnection, limit: int) -> Sequence[RowMapping]:
    """The tenant's dead letters, newest first."""
    return (await tx.execute(select(*SHOWN).order_by(dead_letters.c.created_at.desc()).limit(limit))).mappings().all()
