"""Rows of dead letters by a filter: found, counted, given up, and taken up for a replay."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Uuid,
    any_,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.dead_letters.dead_letter import storable
from consumers.dead_letters.filter import DeadLetterFilter
from consumers.dead_letters.tables import dead_letters
from schemas.cursor import Place

OPEN = dead_letters.c.state.in_(("parked", "replaying"))


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
