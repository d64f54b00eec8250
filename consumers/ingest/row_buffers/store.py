"""Rows of streams. Who takes rows in holds the source's lock.

Who cuts or seals holds the stream's row.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, Select, delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.ingest.row_buffers.stream import Stream
from consumers.ingest.row_buffers.tables import stream_rows, streams
from schemas.event import Cause
from schemas.ids import milliseconds_of

Key = tuple[UUID, UUID]
"""(tenant, source)"""
NewRow = tuple[UUID, UUID, int, UUID, int, list[str | None], str | None]
"""(tenant, stream, number, event, ordinal, cells, what these were)"""

# A source's first stream has no row yet that could be locked.
LOCK_SOURCES = text("""
    SELECT pg_advisory_xact_lock(hashtextextended(id::text, 2))
    FROM (SELECT id FROM unnest(CAST(:ids AS uuid[])) AS given(id) ORDER BY id) AS sorted
""")
LIST = text("""
    SELECT s.id, s.source_id, s.dataset, s.columns, s.mapping_version, s.is_current, s.taken, s.cut,
           s.batches, s.sealed, s.seal, s.train, s.opened_at, s.seal_at, s.created_at,
           b.dataset_id AS sealed_dataset_id, b.through - b.after AS sealed_rows, b.sealed_at,
           d.version AS sealed_version, d.state AS sealed_state, d.reason AS sealed_reason
    FROM streams s
    LEFT JOIN stream_batches b ON b.tenant_id = s.tenant_id AND b.stream_id = s.id
        AND b.number = s.sealed
    LEFT JOIN datasets d ON d.tenant_id = b.tenant_id AND d.id = b.dataset_id
    ORDER BY s.created_at DESC, s.id LIMIT :limit
""")
STATEMENT_BYTES = 1 << 20


async def may_have_taken(
    tx: AsyncConnection, tenant: UUID, source_id: UUID, event_id: UUID
) -> bool:
    """Whether a webhook that was handled may stand in a stream of its source: sealed rows are
    dropped in time.

    It may unless it came before the source's first row; by a minute, since ids of one moment have
    no order.
    """
    mine = (streams.c.tenant_id == tenant) & (streams.c.source_id == source_id)
    causes = (await tx.execute(select(streams.c.cause_id).where(mine))).scalars()
    return any(milliseconds_of(event_id) >= milliseconds_of(cause) - 60_000 for cause in causes)


async def now(tx: AsyncConnection) -> datetime:
    """The database's time, which what is due is compared with."""
    return (await tx.execute(select(func.headrace_clock()))).scalar_one()  # type: ignore[no-any-return]


async def lock_current(tx: AsyncConnection, sources: Iterable[Key]) -> dict[Key, Stream]:
    """Lock sources, in order, and the streams that they feed now."""
    wanted = sorted(set(sources))
    await tx.execute(LOCK_SOURCES, {"ids": [source for _, source in wanted]})
    query = select(streams).where(
        streams.c.is_current, tuple_(streams.c.tenant_id, streams.c.source_id).in_(wanted)
    )
    return {(one.tenant, one.source_id): one for one in await _locked(tx, query)}


async def lock_due(tx: AsyncConnection, limit: int) -> Sequence[Stream]:
    """Lock streams that are due, except those that another transaction has locked."""
    query = select(streams).where(streams.c.seal_at <= func.headrace_clock()).limit(limit)
    return await _locked(tx, query, skip_locked=True)


async def lock_one(tx: AsyncConnection, tenant: UUID, stream_id: UUID) -> Stream:
    """Lock a stream that is known to be there."""
    query = select(streams).where(streams.c.tenant_id == tenant, streams.c.id == stream_id)
    return (await _locked(tx, query))[0]


async def _locked(
    tx: AsyncConnection, query: Select[Any], *, skip_locked: bool = False
) -> list[Stream]:
    ordered = query.order_by(streams.c.tenant_id, streams.c.id).with_for_update(
        skip_locked=skip_locked
    )
    return [_stream(row) for row in (await tx.execute(ordered)).mappings()]


async def save(tx: AsyncConnection, changed: Sequence[Stream]) -> None:
    """Write streams as they are; those first that are closed, for a source feeds only one."""
    if not changed:
        return
    rows = [
        _stream_row(one)
        for one in sorted(changed, key=lambda one: (one.is_current, one.tenant, one.id))
    ]
    new = insert(streams)
    values = {name: new.excluded[name] for name in rows[0] if name not in ("tenant_id", "id")}
    await tx.execute(
        new.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=values), rows
    )


async def events_known(tx: AsyncConnection, events: Iterable[Key]) -> set[Key]:
    """Which of these events (tenant, event) have rows already."""
    held = tuple_(stream_rows.c.tenant_id, stream_rows.c.event_id)
    query = (
        select(stream_rows.c.tenant_id, stream_rows.c.event_id)
        .where(held.in_(list(events)))
        .distinct()
    )
    return {(row.tenant_id, row.event_id) for row in await tx.execute(query)}


async def add_rows(tx: AsyncConnection, rows: Sequence[NewRow]) -> None:
    """Insert rows under their numbers."""
    names = ("tenant_id", "stream_id", "number", "event_id", "ordinal", "cells", "kinds")
    for part in _of_bounded_bytes(rows):
        await tx.execute(insert(stream_rows), [dict(zip(names, row, strict=True)) for row in part])


async def drop_rows(tx: AsyncConnection, stream: Stream, through: int) -> None:
    """Delete the rows up to a number."""
    mine = (stream_rows.c.tenant_id == stream.tenant) & (stream_rows.c.stream_id == stream.id)
    await tx.execute(delete(stream_rows).where(mine, stream_rows.c.number <= through))


def _of_bounded_bytes(rows: Sequence[NewRow]) -> Iterator[Sequence[NewRow]]:
    """Consecutive rows whose cells together take a statement's bytes, about: writing them out
    holds the loop.
    """
    start = size = 0
    for place, row in enumerate(rows):
        size += sum(len(cell or "") + 8 for cell in row[5])
        if size > STATEMENT_BYTES:
            yield rows[start : place + 1]
            start, size = place + 1, 0
    if start < len(rows):
        yield rows[start:]


async def newest(tx: AsyncConnection, limit: int) -> Sequence[RowMapping]:
    """The tenant's streams with the version that was sealed last, newest first."""
    return (await tx.execute(LIST, {"limit": limit})).mappings().all()


def _stream(row: RowMapping) -> Stream:
    return Stream(
        row["tenant_id"],
        row["id"],
        row["source_id"],
        row["dataset"],
        row["shape"],
        tuple(row["columns"]),
        row["seal"],
        row["train"],
        row["mapping_version"],
        cause_of(row),
        row["is_current"],
        row["taken"],
        row["cut"],
        row["kept_after"],
        row["batches"],
        row["sealed"],
        row["opened_at"],
    )


def _stream_row(one: Stream) -> dict[str, Any]:
    return {
        "tenant_id": one.tenant,
        "id": one.id,
        "source_id": one.source_id,
        "dataset": one.dataset,
        "shape": one.shape,
        "columns": list(one.columns),
        "seal": one.seal,
        "train": one.train,
        "mapping_version": one.mapping_version,
        "is_current": one.is_current,
        "taken": one.taken,
        "cut": one.cut,
        "kept_after": one.kept_after,
        "batches": one.batches,
        "sealed": one.sealed,
        "opened_at": one.opened_at,
        "seal_at": one.seal_at,
        **cause_columns(one.cause),
    }


def cause_of(row: RowMapping) -> Cause:
    """What a row follows from."""
    return Cause(row["cause_id"], row["tenant_id"], row["correlation_id"], row["traceparent"])


def cause_columns(cause: Cause) -> dict[str, Any]:
    """The columns that keep what a row follows from."""
    return {
        "cause_id": cause.id,
        "correlation_id": cause.correlation,
        "traceparent": cause.traceparent,
    }
