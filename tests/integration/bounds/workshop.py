"""The way of one dataset through ingest, its queues and training, step by step and without
Kafka.
"""

import asyncio
from typing import Any
from uuid import UUID

from compose.clock import Clock
from compose.failures import classify
from compose.processes.worker import tasks
from compose.storage.object_store_url import open_objects
from consumers.registry import BY_NAME
from consumers.work.worker import Worker
from producers.outbox.append import append
from schemas.event import Event
from schemas.record import Record
from tests.eventually import eventually
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed

LOGGED = "SELECT topic, key, value, headers FROM events WHERE type = :type ORDER BY seq"


class Workshop:
    """Runs each part until it is done."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.objects = open_objects(bench.settings.object_store)
        self._feed = Feed()

    async def take(self, consumer: str, *things: Event | Record) -> None:
        """One delivery."""
        assert await self.bench.runner(consumer)(self._feed.deliver(*things)) is True

    async def logged(self, kind: str) -> list[Record]:
        """The records of all events of a type, as the relay publishes them."""
        from schemas.log import unpack_headers

        return [
            Record(row["topic"], 0, 0, row["key"], row["value"], unpack_headers(row["headers"]), 0)
            for row in await self.bench.ask(LOGGED, type=kind)
        ]

    async def work(self, consumer: str, lease_seconds: float = 30.0, seconds: float = 60.0) -> None:
        """Let the consumer's queue be worked off."""
        (task,) = tasks(BY_NAME[consumer], self.bench.settings, Clock())
        worker = Worker(
            task,
            self.bench.pipeline.begin,
            append,
            classify,
            Clock(),
            lease_seconds,
            poll_seconds=0.05,
        )
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        left = f"SELECT count(*) FROM work WHERE queue = '{task.queue}' AND state <> 'done'"
        try:
            await eventually(
                lambda: self.bench.value(left), lambda count: count == 0, seconds=seconds
            )
        finally:
            stop.set()
            await running

    async def dataset(self, dataset_id: UUID) -> dict[str, Any]:
        """Its row."""
        query = "SELECT state, reason, columns, profile FROM datasets WHERE id = :id"
        (row,) = await self.bench.ask(query, id=dataset_id)
        return row

    async def job(self, job_id: UUID) -> dict[str, Any]:
        """Its row."""
        (row,) = await self.bench.ask("SELECT state, failure FROM jobs WHERE id = :id", id=job_id)
        return row
