"""Single dead letters: parked once, locked, and moved to their next state."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Uuid,
    and_,
    any_,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.dead_letters.dead_letter import DeadLetter, consumer_version, storable
from consumers.dead_letters.failure import HandlingFailure
from consumers.dead_letters.store import OPEN
from consumers.dead_letters.tables import dead_letters
from schemas.log import pack_headers, unpack_headers
from schemas.record import Record


async def park(tx: AsyncConnection, letters: Sequence[DeadLetter]) -> Sequence[DeadLetter]:
    """Keep them; returns those that were not kept before. One that fails again stays one row."""
    if not letters:
        return ()
    rows = [_row(letter) for letter in letters]
    inserted = await tx.execute(
        insert(dead_letters).values(rows).on_conflict_do_nothing().returning(dead_letters.c.id)
    )
    new = set(inserted.scalars())
    for letter in letters:
        if letter.id not in new:
            failure = HandlingFailure(letter.error_class, letter.error, letter.stack)
            values = _failed(failure, letter.attempts)
            await tx.execute(update(dead_letters).where(_same(letter), OPEN).values(values))
    return [letter for letter in letters if letter.id in new]


async def open_events(tx: AsyncConnection, events: Sequence[UUID]) -> set[UUID]:
    """Those of `events` that a dead letter holds which may still be taken up again."""
    held = dead_letters.c.event_id == any_(literal(list(events), ARRAY(Uuid)))
    return set((await tx.execute(select(dead_letters.c.event_id).where(held, OPEN))).scalars())


def _row(letter: DeadLetter) -> dict[str, Any]:
    record = letter.record
    return {
        "tenant_id": letter.tenant,
        "id": letter.id,
        "consumer": letter.consumer,
        "consumer_version": consumer_version(),
        "event_id": letter.event_id,
        "event_type": letter.event_type,
        "trace_id": letter.trace_id,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key,
        "value": record.value,
        "headers": pack_headers(record.headers),
        "error_class": letter.error_class,
        "error": storable(letter.error),
        "stack": _storable(letter.stack),
        "fingerprint": letter.fingerprint,
        "attempts": letter.attempts,
        "state": "parked",
    }


def _same(letter: DeadLetter) -> ColumnElement[bool]:
    place = and_(
        dead_letters.c.topic == letter.record.topic,
        dead_letters.c.partition == letter.record.partition,
        dead_letters.c.offset == letter.record.offset,
        dead_letters.c.tenant_id == letter.tenant,
        dead_letters.c.incarnation == func.headrace_incarnation(),
    )
    return and_(
        dead_letters.c.consumer == letter.consumer,
        place
        if letter.event_id is None
        else or_(place, dead_letters.c.event_id == letter.event_id),
    )


def _failed(failure: HandlingFailure, attempts: int) -> dict[str, Any]:
    """What one more attempt says. The fingerprint stays that of the first: whoever replays a group
    finds in it what is left of it.
    """
    return {
        "error_class": failure.error_class,
        "error": storable(failure.error),
        "stack": _storable(failure.stack),
        "attempts": dead_letters.c.attempts + attempts,
        "consumer_version": consumer_version(),
        "last_failed_at": func.headrace_clock(),
    }


def _storable(stack: str | None) -> str | None:
    return None if stack is None else storable(stack)


class Locked(NamedTuple):
    """A dead letter whose row is locked until the transaction ends."""

    tenant: UUID
    id: UUID
    consumer: str
    state: str
    record: Record


async def lock(tx: AsyncConnection, tenant: UUID, letter_id: UUID) -> Locked | None:
    """One letter, by its id."""
    return await _lock(tx, and_(dead_letters.c.tenant_id == tenant, dead_letters.c.id == letter_id))


async def lock_of_event(tx: AsyncConnection, consumer: str, event_id: UUID) -> Locked | None:
    """One letter, by what it is about."""
    return await _lock(
        tx, and_(dead_letters.c.consumer == consumer, dead_letters.c.event_id == event_id)
    )


async def _lock(tx: AsyncConnection, which: ColumnElement[bool]) -> Locked | None:
    row = (
        (await tx.execute(select(dead_letters).where(which).with_for_update()))
        .mappings()
        .one_or_none()
    )
    if row is None:
        return None
    return Locked(row["tenant_id"], row["id"], row["consumer"], row["state"], record_of(row))


def record_of(row: RowMapping) -> Record:
    """The record as it came."""
    headers = unpack_headers(row["headers"])
    return Record(
        row["topic"], row["partition"], row["offset"], row["key"], row["value"], headers, 0
    )


async def put(
    tx: AsyncConnection, letter: Locked, state: str, failure: HandlingFailure | None = None
) -> None:
    """Move a locked letter on; with a failure it is one more attempt.

    What was decided stays decided.
    """
    again = {} if failure is None else _failed(failure, 1)
    mine = (dead_letters.c.tenant_id == letter.tenant) & (dead_letters.c.id == letter.id)
    await tx.execute(update(dead_letters).where(mine, OPEN).values(state=state, **again))
