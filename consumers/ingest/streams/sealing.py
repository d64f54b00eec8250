"""A batch of rows becomes a version of its data set: a file, then two events."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from consumers.ingest.dataset import BY
from consumers.ingest.streams import store
from consumers.ingest.streams.intake import SEALING, piece_of
from consumers.ingest.streams.stream import Batch, dropped_through
from consumers.ports import Objects, Transactions
from consumers.work import store as work
from consumers.work.limits import Limits
from consumers.work.piece import Claimed
from consumers.work.spawn import ChildRequest, ChildResult, Finished, Progress
from schemas.datasets import DatasetSubmitted
from schemas.event import Event, following
from schemas.ids import derived
from schemas.jobs import JobRequested

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)

AGAIN_SECONDS = 60


@dataclass(frozen=True)
class Sealing:
    """The task of the queue `sealing`; a batch is tried until it is sealed, since its rows are nowhere else."""

    begin: Transactions
    objects: Objects
    limits: Limits
    queue: str = SEALING

    async def start(self, tx: "AsyncConnection", piece: Claimed, at: datetime) -> tuple[bool, Sequence[Event]]:
        """Nothing is said of it; a sealed batch needs no second file."""
        return not (await self._batch(tx, piece)).is_sealed, ()

    async def prepare(self, piece: Claimed, directory: Path) -> tuple[ChildRequest, Limits]:
        """The version's rows, beside the child."""
        path = directory / "rows.jsonl"
        async with self.begin() as tx:
            batch = await self._batch(tx, piece)
            with path.open("w", encoding="utf-8") as file:
                async for lines in store.lines(tx, batch):
                    file.writelines(f"{line}\n" for line in lines)
        request = {"path": str(path), "columns": list(batch.columns), "into": str(directory / "data.csv")}
        return ChildRequest("seal", request, directory), self.limits

    async def progress(
        self, tx: "AsyncConnection", piece: Claimed, progress: Progress, at: datetime
    ) -> Sequence[Event]:
        """Not worth an event."""
        return ()

    async def deliver(self, piece: Claimed, directory: Path, result: ChildResult) -> None:
        """The file, under the attempt's own key: a zombie, whose rows may be gone by now, cannot overwrite it."""
        await self.objects.put_file(_key(piece), directory / "data.csv")

    async def finish(self, tx: "AsyncConnection", piece: Claimed, result: ChildResult, at: datetime) -> Sequence[Event]:
        """Submit the version, ask for its training, drop the rows that no later version has, go on to the next."""
        stream = await store.lock_one(tx, piece.tenant, UUID(piece.payload["stream_id"]))
        batch = await self._batch(tx, piece)
        if batch.is_sealed:
            return ()
        if not isinstance(result, Finished) or result.result["rows"] != batch.rows:
            log.error("batch %s of stream %s was not written: %r", batch.id, stream.id, result)
            return await self._again(tx, piece, batch, at)
        stream = replace(stream, sealed=batch.number)
        await store.save(tx, [stream])
        await store.seal(tx, batch)
        await store.drop_rows(tx, stream, dropped_through(stream, batch))
        if stream.sealed < stream.batches:
            await work.enqueue(tx, [piece_of(await store.numbered(tx, stream, stream.sealed + 1), at)])
        return _events(batch, _key(piece), result, at)

    async def give_up(
        self, tx: "AsyncConnection", piece: Claimed, code: str, message: str, at: datetime
    ) -> Sequence[Event]:
        """Every attempt was lost: another piece of work takes it up."""
        await store.lock_one(tx, piece.tenant, UUID(piece.payload["stream_id"]))
        batch = await self._batch(tx, piece)
        return () if batch.is_sealed else await self._again(tx, piece, batch, at)

    async def _again(self, tx: "AsyncConnection", piece: Claimed, batch: Batch, at: datetime) -> Sequence[Event]:
        later = piece_of(batch, at + timedelta(seconds=AGAIN_SECONDS), derived(piece.subject, "again"))
        await work.enqueue(tx, [later])
        return ()

    async def _batch(self, tx: "AsyncConnection", piece: Claimed) -> Batch:
        return await store.batch(tx, piece.tenant, UUID(piece.payload["batch_id"]))


def _events(batch: Batch, key: str, result: Finished, at: datetime) -> list[Event]:
    """Ids come from the batch: the same step again says the same."""
    submitted = DatasetSubmitted(
        dataset_id=batch.dataset_id, name=batch.dataset, object_key=key, size_bytes=result.result["size_bytes"],
        sha256=result.result["sha256"], content_type="text/csv",
    )  # fmt: skip
    events = [following(batch.cause, submitted, by=BY, subject=str(batch.dataset_id), version=0, at=at)]
    if batch.train is not None:
        asked = JobRequested(
            job_id=derived(batch.id, "job"), kind="train", dataset_id=batch.dataset_id, target=batch.train["target"],
            model=batch.train["model"], options=batch.train["options"], origin="rows",
            mapping_version=batch.mapping_version,
        )  # fmt: skip
        events.append(following(events[0].cause, asked, by=BY, subject=str(asked.job_id), version=0, at=at))
    return events


def _key(piece: Claimed) -> str:
    dataset_id = derived(UUID(piece.payload["batch_id"]), "dataset")
    return f"tenants/{piece.tenant}/datasets/{dataset_id}/attempts/{piece.id}-{piece.token}/data.csv"
