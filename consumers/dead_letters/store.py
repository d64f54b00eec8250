"""Rows of dead letters: kept once, moved between their states, and found."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Uuid,
    and_,
    any_,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.dead_letters.dead_letter import DeadLetter, consumer_version, storable
from consumers.dead_letters.failure import HandlingFailure
from consumers.dead_letters.filter import DeadLetterFilter
from consumers.dead_letters.tables import dead_letters
from schemas.cursor import Place
from schemas.log import pack_headers, unpack_headers
from schemas.record import Record

OPEN = dead_letters.c.state.in_(("parked", "replaying"))


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


def _meant(
    wanted: DeadLetterFilter, among: Collection[str] | None = None
) -> list[ColumnElement[bool]]:
    equal = {
        dead_letters.c.consumer: wanted.consumer,
        dead_letters.c.error_class: wanted.error_class,
        dead_letters.c.event_type: wanted.event_type,
        dead_letters.c.fingerprint: wanted.fingerprint,
        dead_letters.c.state: wanted.state,
    }
    found = [column == value for column, value in equal.items() if value is not None]
    if among is not None:
        found.append(dead_letters.c.consumer.in_(among))
    if wanted.ids is not None:
        found.append(dead_letters.c.id.in_(wanted.ids))
    if wanted.since is not None:
        found.append(dead_letters.c.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(dead_letters.c.created_at < wanted.until)
    return found


HIDDEN = ("tenant_id", "key", "value", "headers", "stack", "incarnation")
SHOWN = (
    *(column for column in dead_letters.c if column.name not in HIDDEN),
    func.coalesce(func.octet_length(dead_letters.c.value), 0).label("size_bytes"),
)


async def page(
    tx: AsyncConnection,
    wanted: DeadLetterFilter,
    limit: int,
    after: Place | None = None,
    among: Collection[str] | None = None,
) -> Sequence[RowMapping]:
    """Letters of the tenant, newest first; `among` are the consumers that count."""
    query = select(*SHOWN).where(*_meant(wanted, among))
    if after is not None:
        mark = tuple_(
            literal(after[0], dead_letters.c.created_at.type),
            literal(after[1], dead_letters.c.id.type),
        )
        query = query.where(tuple_(dead_letters.c.created_at, dead_letters.c.id) < mark)
    query = query.order_by(dead_letters.c.created_at.desc(), dead_letters.c.id.desc()).limit(limit)
    return (await tx.execute(query)).mappings().all()


async def groups(tx: AsyncConnection, wanted: DeadLetterFilter, limit: int) -> Sequence[RowMapping]:
    """Letters of the tenant by fingerprint, the one that failed last first, each with its newest
    letter.
    """
    newest = aggregate_order_by(
        dead_letters.c.id, dead_letters.c.created_at.desc(), dead_letters.c.id.desc()
    )
    grouped = (
        select(
            dead_letters.c.fingerprint,
            func.count().label("count"),
            func.count().filter(dead_letters.c.state == "parked").label("parked"),
            func.min(dead_letters.c.created_at).label("first_failed_at"),
            func.max(dead_letters.c.last_failed_at).label("last_failed_at"),
            func.array_agg(newest)[1].label("sample_id"),
        )
        .where(*_meant(wanted))
        .group_by(dead_letters.c.fingerprint)
        .subquery()
    )
    sample = (
        dead_letters.c.consumer,
        dead_letters.c.error_class,
        dead_letters.c.event_type,
        dead_letters.c.error,
    )
    query = select(grouped, *sample).join(dead_letters, dead_letters.c.id == grouped.c.sample_id)
    rows = await tx.execute(
        query.order_by(grouped.c.last_failed_at.desc(), grouped.c.fingerprint).limit(limit)
    )
    return rows.mappings().all()


async def one(tx: AsyncConnection, letter_id: UUID) -> RowMapping | None:
    """One letter of the tenant, with its bytes."""
    query = select(dead_letters).where(dead_letters.c.id == letter_id)
    return (await tx.execute(query)).mappings().one_or_none()


async def count(
    tx: AsyncConnection, wanted: DeadLetterFilter, among: Collection[str] | None = None
) -> int:
    """How many of the tenant's are meant."""
    query = select(func.count()).select_from(dead_letters).where(*_meant(wanted, among))
    return int((await tx.execute(query)).scalar_one())


async def discard(tx: AsyncConnection, wanted: DeadLetterFilter, by: str, reason: str) -> int:
    """Give up those that are meant and still open, for good; how many they were."""
    ids = _in_order(select(dead_letters.c.id).where(*_meant(wanted), OPEN))
    values = {
        "state": "discarded",
        "discarded_at": func.headrace_clock(),
        "discarded_by": by,
        "discard_reason": storable(reason),
    }
    done = await tx.execute(update(dead_letters).where(dead_letters.c.id.in_(ids)).values(values))
    return int(done.rowcount)


async def take_up(
    tx: AsyncConnection, wanted: DeadLetterFilter, limit: int, among: Collection[str] | None = None
) -> Sequence[RowMapping]:
    """Lock up to `limit` letters for a replay, the oldest first.

    The parked ones are `replaying` from now on.
    """
    columns = (dead_letters.c.id, dead_letters.c.consumer, dead_letters.c.event_id)
    meant = _in_order(select(*columns).where(*_meant(wanted, among)))
    found: Sequence[RowMapping] = (await tx.execute(meant.limit(limit))).mappings().all()
    await _move(tx, [row["id"] for row in found], "parked", "replaying")
    return found


async def put_back(tx: AsyncConnection, ids: Sequence[UUID]) -> None:
    """Park those of a replay that does not go on."""
    await _move(tx, ids, "replaying", "parked")


async def _move(tx: AsyncConnection, ids: Sequence[UUID], before: str, after: str) -> None:
    mine = dead_letters.c.id == any_(literal(list(ids), ARRAY(Uuid)))
    await tx.execute(
        update(dead_letters).where(mine, dead_letters.c.state == before).values(state=after)
    )


def _in_order(query: Select[Any]) -> Select[Any]:
    """Locked in one order, so that two that take many at once do not wait for one another."""
    return query.order_by(dead_letters.c.created_at, dead_letters.c.id).with_for_update()
