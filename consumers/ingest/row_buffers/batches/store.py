"""Rows of batches, each the rows of a stream's next version."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.ingest.row_buffers.store import cause_columns, cause_of
from consumers.ingest.row_buffers.stream import Batch, Stream
from consumers.ingest.row_buffers.tables import stream_batches

PAGE = text("""
    SELECT number, line FROM (
        SELECT number, line, sum(octet_length(line)) OVER (ORDER BY number) - octet_length(line) AS
            before
        FROM (
            SELECT number, coalesce(cells || to_jsonb(kinds), cells)::text AS line FROM stream_rows
            WHERE tenant_id = :tenant AND stream_id = :stream AND number > :after
                AND number <= :through
            ORDER BY number LIMIT :rows
        ) AS next
    ) AS measured
    WHERE before < :bytes ORDER BY number
""")
PAGE_BYTES = 1 << 20


async def page(
    tx: AsyncConnection, batch: Batch, after: int, most_rows: int
) -> Sequence[tuple[int, str]]:
    """The next rows of a batch's version: at least one, and not many more bytes than a page has.

    Each is its number, and a JSON list of its cells; after these what they were, where it is known.
    """
    given = {
        "tenant": batch.tenant,
        "stream": batch.stream_id,
        "after": after,
        "through": batch.through,
        "rows": most_rows,
        "bytes": PAGE_BYTES,
    }
    return [(row.number, row.line) for row in await tx.execute(PAGE, given)]


async def add_batches(tx: AsyncConnection, batches: Sequence[Batch]) -> None:
    """Insert batches that were cut."""
    if batches:
        await tx.execute(insert(stream_batches), [_batch_row(one) for one in batches])


async def batch(tx: AsyncConnection, tenant: UUID, batch_id: UUID) -> Batch:
    """A batch that is known to be there."""
    query = select(stream_batches).where(
        stream_batches.c.tenant_id == tenant, stream_batches.c.id == batch_id
    )
    return _batch((await tx.execute(query)).mappings().one())


async def numbered(tx: AsyncConnection, stream: Stream, number: int) -> Batch:
    """A stream's batch by its number."""
    mine = (stream_batches.c.tenant_id == stream.tenant) & (stream_batches.c.stream_id == stream.id)
    query = select(stream_batches).where(mine, stream_batches.c.number == number)
    return _batch((await tx.execute(query)).mappings().one())


async def seal(tx: AsyncConnection, sealed: Batch) -> None:
    """Note that a batch's version was submitted."""
    mine = (stream_batches.c.tenant_id == sealed.tenant) & (stream_batches.c.id == sealed.id)
    values = {"dataset_id": sealed.dataset_id, "sealed_at": func.headrace_clock()}
    await tx.execute(update(stream_batches).where(mine).values(values))


def _batch(row: RowMapping) -> Batch:
    return Batch(
        row["tenant_id"],
        row["id"],
        row["stream_id"],
        row["number"],
        row["after"],
        row["through"],
        row["drop_through"],
        row["dataset"],
        tuple(row["columns"]),
        row["train"],
        row["mapping_version"],
        cause_of(row),
        row["sealed_at"] is not None,
    )


def _batch_row(one: Batch) -> dict[str, Any]:
    return {
        "tenant_id": one.tenant,
        "id": one.id,
        "stream_id": one.stream_id,
        "number": one.number,
        "after": one.after,
        "through": one.through,
        "drop_through": one.drop_through,
        "dataset": one.dataset,
        "columns": list(one.columns),
        "train": one.train,
        "mapping_version": one.mapping_version,
        **cause_columns(one.cause),
    }
