"""A batch of rows becomes a version of its dataset: a file, then two events.

A batch that cannot is rejected, with an event that says why.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from uuid import UUID

from consumers.ingest import store as datasets
from consumers.ingest.dataset import Dataset, rejected
from consumers.ingest.row_buffers import store
from consumers.ingest.row_buffers.append import SEALING, work_item_of
from consumers.ingest.row_buffers.batches import store as batch_store
from consumers.ingest.row_buffers.stream import Batch, Stream, dropped_through
from consumers.ingest.row_buffers.version_events import object_key, training_request, version_events
from consumers.ports import Objects
from consumers.work import store as work
from consumers.work.child_result import (
    ChildRequest,
    ChildResult,
    Finished,
    LimitExceeded,
    Progress,
    TenantRefused,
)
from consumers.work.delivery import NEVER_FITS
from consumers.work.limits import ResourceLimits
from consumers.work.task import Unusable
from consumers.work.work_item import WorkItem
from schemas.datasets import Finding
from schemas.event import Event
from schemas.ids import derived
from schemas.ports import Transactions

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)

AGAIN_SECONDS = 60
FIRST_PAGE_ROWS = 16
MOST_PAGE_ROWS = 1000
LINES_BYTES = 256 << 20  # of brackets, quotes and nulls, which the file has not


@dataclass(frozen=True)
class Sealing:
    """The task of the queue `sealing`.

    A batch is tried until it is sealed, since its rows are nowhere else.
    """

    begin: Transactions
    objects: Objects
    limits: ResourceLimits
    most_bytes: int = 1 << 30
    queue: str = SEALING

    async def start(
        self, tx: "AsyncConnection", item: WorkItem, at: datetime
    ) -> tuple[bool, Sequence[Event]]:
        """Nothing is said of it; a sealed batch needs no second file."""
        return not (await self._batch(tx, item)).is_sealed, ()

    async def prepare(self, item: WorkItem, directory: Path) -> tuple[ChildRequest, ResourceLimits]:
        """The version's rows, beside the child."""
        path = directory / "rows.jsonl"
        async with self.begin() as tx:
            batch = await self._batch(tx, item)
        with path.open("wb") as file:
            await self._write(batch, file)
        request = {
            "path": str(path),
            "columns": list(batch.columns),
            "into": str(directory / "data.csv"),
        }
        limits = replace(self.limits, file_bytes=min(self.limits.file_bytes, self.most_bytes))
        return ChildRequest("seal", request, directory), limits

    async def _write(self, batch: Batch, file: BinaryIO) -> None:
        """Page by page, so that memory is flat.

        The child finds the exact size, this only spares the disk.
        """
        after, rows, written = batch.after, FIRST_PAGE_ROWS, 0
        while after < batch.through:
            async with self.begin() as tx:
                page = await batch_store.page(tx, batch, after, rows)
            if not page:
                return
            content = "".join(f"{line}\n" for _, line in page).encode()
            written += len(content)
            if written > 2 * self.most_bytes + LINES_BYTES:
                raise Unusable("file_limit", self._too_large)
            file.write(content)
            after = page[-1][0]
            rows = min(2 * rows, MOST_PAGE_ROWS) if len(page) == rows else len(page) + 1

    @property
    def _too_large(self) -> str:
        return (
            f"the rows of this version take more than {self.most_bytes} bytes as a file: "
            "seal more often, keep fewer rows in the window, or shorten the cells"
        )

    async def progress(
        self, tx: "AsyncConnection", item: WorkItem, progress: Progress, at: datetime
    ) -> Sequence[Event]:
        """Not worth an event."""
        return ()

    async def deliver(self, item: WorkItem, directory: Path, result: ChildResult) -> None:
        """The file, under the attempt's own key: a zombie, whose rows may be gone by now, cannot
        overwrite it.
        """
        await self.objects.put_file(object_key(item), directory / "data.csv")

    async def finish(
        self, tx: "AsyncConnection", item: WorkItem, result: ChildResult, at: datetime
    ) -> Sequence[Event]:
        """Submit the version, ask for its training, drop the rows that no later version has, go
        on to the next.
        """
        match result:
            case TenantRefused("quota", code, message) if code != NEVER_FITS:
                return await self._wait(tx, item, message, at)
            case LimitExceeded("file_limit", _):
                return await self._refuse(tx, item, "file_limit", self._too_large, at)
            case LimitExceeded("memory_limit" | "cpu_limit" as code, message) | TenantRefused(
                _, code, message
            ):
                return await self._refuse(tx, item, code, message, at)
            case _:
                return await self._seal(tx, item, result, at)

    async def _seal(
        self, tx: "AsyncConnection", item: WorkItem, result: ChildResult, at: datetime
    ) -> Sequence[Event]:
        stream = await store.lock_one(tx, item.tenant, UUID(item.payload["stream_id"]))
        batch = await self._batch(tx, item)
        if batch.is_sealed:
            return ()
        if not isinstance(result, Finished) or result.result["rows"] != batch.rows:
            log.error("batch %s of stream %s was not written: %r", batch.id, stream.id, result)
            return await self._again(tx, item, batch, at)
        await self._go_on(tx, stream, batch, at)
        return version_events(batch, object_key(item), result, at)

    async def _wait(
        self, tx: "AsyncConnection", item: WorkItem, reason: str, at: datetime
    ) -> Sequence[Event]:
        """The tenant has no room for the file: its rows stay until it has, since they are
        nowhere else.
        """
        await store.lock_one(tx, item.tenant, UUID(item.payload["stream_id"]))
        batch = await self._batch(tx, item)
        if batch.is_sealed:
            return ()
        log.warning("batch %s of stream %s waits for room: %s", batch.id, batch.stream_id, reason)
        return await self._again(tx, item, batch, at)

    async def _refuse(
        self, tx: "AsyncConnection", item: WorkItem, code: str, reason: str, at: datetime
    ) -> Sequence[Event]:
        """The version is there, rejected.

        Its training fails by that, and the next batch has its turn.
        """
        await datasets.lock(tx, [(item.tenant, derived(UUID(item.payload["batch_id"]), "dataset"))])
        stream = await store.lock_one(tx, item.tenant, UUID(item.payload["stream_id"]))
        batch = await self._batch(tx, item)
        if batch.is_sealed:
            return ()
        log.warning("batch %s of stream %s cannot be sealed: %s", batch.id, stream.id, reason)
        await self._go_on(tx, stream, batch, at)
        asked = Dataset(
            batch.tenant,
            batch.dataset_id,
            batch.dataset,
            "submitted",
            object_key(item),
            0,
            "",
            0,
            at,
            rows=batch.rows,
        )
        finding = Finding(rule=code, severity="error", message=reason)
        dataset, event = rejected(asked, reason, (finding,), cause=batch.cause, at=at)
        await datasets.create(tx, [dataset])
        return [event, *training_request(batch, event, at)]

    async def _go_on(
        self, tx: "AsyncConnection", stream: Stream, batch: Batch, at: datetime
    ) -> None:
        """Drop the rows that no later version has, and put the next batch into the queue."""
        stream = replace(stream, sealed=batch.number)
        await store.save(tx, [stream])
        await batch_store.seal(tx, batch)
        await store.drop_rows(tx, stream, dropped_through(stream, batch))
        if stream.sealed < stream.batches:
            await work.enqueue(
                tx, [work_item_of(await batch_store.numbered(tx, stream, stream.sealed + 1), at)]
            )

    async def give_up(
        self, tx: "AsyncConnection", item: WorkItem, code: str, message: str, at: datetime
    ) -> Sequence[Event]:
        """Enqueue a new work item after every attempt of this one was lost."""
        await store.lock_one(tx, item.tenant, UUID(item.payload["stream_id"]))
        batch = await self._batch(tx, item)
        return () if batch.is_sealed else await self._again(tx, item, batch, at)

    async def _again(
        self, tx: "AsyncConnection", item: WorkItem, batch: Batch, at: datetime
    ) -> Sequence[Event]:
        later = work_item_of(
            batch, at + timedelta(seconds=AGAIN_SECONDS), derived(item.subject, "again")
        )
        await work.enqueue(tx, [later])
        return ()

    async def _batch(self, tx: "AsyncConnection", item: WorkItem) -> Batch:
        return await batch_store.batch(tx, item.tenant, UUID(item.payload["batch_id"]))
