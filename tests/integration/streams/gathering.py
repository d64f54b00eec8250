"""Sources whose payloads become rows, ingest that takes them in, and the parts that seal."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

from compose.processes.worker import sealing_parts
from compose.storage.object_store_url import open_objects
from consumers.ingest.row_buffers.flush_timer import SealWhenDue
from consumers.work.worker import Worker
from schemas.event import Event
from tests.eventually import eventually
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed

COLUMNS = {"b": "b", "a": "n"}


class Version(NamedTuple):
    """What a `dataset.submitted` speaks of."""

    name: str
    dataset_id: UUID
    content: bytes
    tenant: UUID

    @property
    def cells(self) -> list[list[str]]:
        """The cells of simple rows, the header apart."""
        return [line.split(",") for line in self.content.decode().split("\r\n")[1:-1]]


def action(columns: dict[str, str] | None = None, train: Any = None, **seal: Any) -> dict[str, Any]:
    """As it is kept of a source; `seal` is what differs from three rows or an hour."""
    whole = {"every_rows": 3, "every_seconds": 3600, "window": "all", "window_rows": 100, **seal}
    asked = {"kind": "rows", "dataset": "d", "columns": columns or COLUMNS, "seal": whole}
    return asked if train is None else {**asked, "train": train}


class Gathering:
    """One log of webhooks, and questions about what became of them."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._feed = Feed()

    async def source(self, tenant: UUID, given: dict[str, Any]) -> UUID:
        """A source with that action."""
        async with self.bench.pipeline.begin() as tx:
            return await rows.given_source(tx, tenant, action=given)

    async def change(self, source: UUID, given: dict[str, Any]) -> None:
        """Another action, as the API writes it."""
        async with self.bench.pipeline.begin() as tx:
            await tx.exec_driver_sql(
                "UPDATE sources SET action = $1::text::jsonb, mapping_version = mapping_version "
                "+ 1 WHERE id = $2",
                (json.dumps(given), source),
            )

    async def take(self, *events: Event) -> None:
        """One delivery to ingest."""
        assert await self.bench.runner("ingest")(self._feed.deliver(*events)) is True

    @asynccontextmanager
    async def parts(self) -> AsyncIterator[tuple[SealWhenDue, Worker]]:
        """The duty and the worker, not running."""
        async with sealing_parts(self.bench.settings) as found:
            yield found

    async def sealed(self, count: int) -> list[Version]:
        """Let the worker seal until so many versions are submitted, and not one more.

        In their order.
        """
        stop = asyncio.Event()
        async with self.parts() as (_, worker):
            running = asyncio.create_task(worker.run(stop))
            try:
                await eventually(self.left, lambda left: left == 0)
            finally:
                stop.set()
                await running
        found = await self.versions()
        assert len(found) == count
        return found

    async def left(self) -> int:
        """Batches that are not sealed, and work that is not done."""
        query = """SELECT (SELECT count(*) FROM stream_batches WHERE sealed_at IS NULL)
                          + (SELECT count(*) FROM work WHERE queue = 'sealing'
                              AND state <> 'done')"""
        return int(await self.bench.value(query))

    async def versions(self) -> list[Version]:
        """What was submitted, with the files."""
        objects = open_objects(self.bench.settings.object_store)
        found = []
        for data in await self.said("dataset.submitted"):
            content = await objects.read(data["object_key"])
            assert content is not None
            assert len(content) == data["size_bytes"]
            tenant = UUID(data["object_key"].split("/")[1])
            found.append(Version(data["name"], UUID(data["dataset_id"]), content, tenant))
        return found

    async def said(self, kind: str) -> list[dict[str, Any]]:
        """The data of all events of a type, in the log's order."""
        query = "SELECT value FROM events WHERE type = :kind AND NOT is_copy ORDER BY seq"
        return [json.loads(row["value"])["data"] for row in await self.bench.ask(query, kind=kind)]

    async def stream(self) -> dict[str, Any]:
        """The only one that is current."""
        (row,) = await self.bench.ask(
            "SELECT *, taken - cut AS open_rows FROM streams WHERE is_current"
        )
        return row

    async def kept(self) -> list[int]:
        """The numbers of the rows that are there, of all streams."""
        return [
            row["number"]
            for row in await self.bench.ask("SELECT number FROM stream_rows ORDER BY number")
        ]


def webhooks(tenant: UUID, source: UUID, numbers: Sequence[int]) -> list[Event]:
    """A payload of one row for each number."""
    return [
        rows.webhook(tenant, source, json.dumps({"n": number, "b": f"t{number}"}))
        for number in numbers
    ]
