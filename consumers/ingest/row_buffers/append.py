"""Rows come into streams, and batches are cut: by ingest when enough are open, by the duty when
it is time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from consumers.ingest.row_buffers import store
from consumers.ingest.row_buffers.batches import store as batch_store
from consumers.ingest.row_buffers.stream import (
    Batch,
    Stream,
    begun,
    closed,
    columns_of,
    cut,
    shape_of,
    with_rows,
)
from consumers.ingest.rows import Row, cell_of, kinds_of
from consumers.work.work_item import NewWorkItem
from schemas.event import Event

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

SEALING = "sealing"
SEALING_SECONDS = 86_400
MOST_DUE = 100


@dataclass(frozen=True, slots=True)
class Taken:
    """The rows of one event, by its source's action; `has_types` as JSON has and a form has not."""

    event: Event
    source_id: UUID
    action: dict[str, Any]
    version: int
    rows: Sequence[Row]
    has_types: bool = False


async def take_in(tx: "AsyncConnection", taken: Sequence[Taken]) -> list[NewWorkItem]:
    """Number the rows, cut what is full, begin anew where a source's columns changed; the batches
    to materialize.

    An event's rows are never parted: after each event all that is open is cut if it is enough.
    """
    if not taken:
        return []
    now = await store.now(tx)
    current = await store.lock_current(tx, [(one.event.tenantid, one.source_id) for one in taken])
    known = await store.events_known(tx, [(one.event.tenantid, one.event.id) for one in taken])
    changed: dict[UUID, Stream] = {}
    rows: list[store.NewRow] = []
    batches: list[Batch] = []
    for one in taken:
        key = (one.event.tenantid, one.source_id)
        if (one.event.tenantid, one.event.id) in known:
            continue
        stream = current.get(key)
        if stream is not None and stream.shape != shape_of(one.action):
            stream, last = closed(stream)
            changed[stream.id] = stream
            batches += [last] if last else []
            stream = None
        if stream is None:
            stream = begun(one.event, one.source_id, one.action, one.version)
        rows += _numbered(stream, one)
        stream = with_rows(stream, one.event, len(one.rows), one.action, one.version, now)
        if stream.is_full:
            stream, batch = cut(stream)
            batches.append(batch)
        changed[stream.id] = current[key] = stream
    await store.add_rows(tx, rows)
    for stream in changed.values():
        if not stream.is_current and stream.sealed == stream.batches:
            await store.drop_rows(tx, stream, stream.taken)
    return await _write(tx, changed, batches, now)


async def cut_due(tx: "AsyncConnection") -> list[NewWorkItem]:
    """Cut what has been open for as long as its source allows; the batches to materialize."""
    changed: dict[UUID, Stream] = {}
    batches = []
    for stream in await store.lock_due(tx, MOST_DUE):
        changed[stream.id], batch = cut(stream)
        batches.append(batch)
    return await _write(tx, changed, batches, await store.now(tx))


def work_item_of(batch: Batch, at: datetime, subject: UUID | None = None) -> NewWorkItem:
    """The work of sealing a batch, due at a time."""
    payload = {"batch_id": str(batch.id), "stream_id": str(batch.stream_id)}
    deadline = at + timedelta(seconds=SEALING_SECONDS)
    return NewWorkItem(
        batch.tenant, SEALING, subject or batch.id, payload, batch.cause, at, deadline
    )


def _numbered(stream: Stream, one: Taken) -> list[store.NewRow]:
    names = columns_of(one.action)
    return [
        (
            stream.tenant,
            stream.id,
            stream.taken + 1 + place,
            one.event.id,
            place,
            [cell_of(row[name]) for name in names],
            kinds_of([row[name] for name in names]) if one.has_types else None,
        )
        for place, row in enumerate(one.rows)
    ]


async def _write(
    tx: "AsyncConnection", changed: dict[UUID, Stream], batches: Sequence[Batch], at: datetime
) -> list[NewWorkItem]:
    """One batch of a stream is in work at a time: each sealed one puts the next into the queue."""
    await store.save(tx, list(changed.values()))
    await batch_store.add_batches(tx, batches)
    return [
        work_item_of(one, at) for one in batches if one.number == changed[one.stream_id].sealed + 1
    ]
