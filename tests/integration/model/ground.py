"""What the models stand on: a database that is emptied between two examples, a loop of their
own, a recorded log.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from compose.kafka.log import partition_of
from compose.postgres.connections import Role
from compose.settings import Settings
from consumers.errors import Transient
from consumers.log.runner import Runner
from consumers.ports import Handle
from producers.outbox.ports import Confirmed, Outgoing, Place, Sent
from schemas.record import Record
from tests.integration.runner.bench import Bench

T = TypeVar("T")
PARTITIONS = 2
EMPTIED = (
    "events",
    "outbox",
    "partition_ends",
    "inbox_keys",
    "requests",
    "request_repeats",
    "processed",
    "positions",
    "dead_letters",
    "replays",
    "replay_items",
    "replay_turns",
    "usage_records",
    "consumer_breakers",
    "work",
    "consumer_starts",
    "suspect_records",
)


class Struck(Exception):
    """The process ends here."""


class RecordedLog:
    """The relay's Kafka: partitions in memory.

    `struck` is after how many records the next round goes wrong.
    """

    def __init__(self) -> None:
        self.partitions: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.struck: int | None = None

    async def send(self, records: Sequence[Outgoing]) -> Sent:
        """Append them; what was appended before it went wrong stays."""
        confirmed = []
        for one in records[: self.struck]:
            place = (one.topic, partition_of(one.key, PARTITIONS))
            log = self.partitions[place]
            confirmed.append(Confirmed(*place, (one.seq,), len(log)))
            log.append(Record(*place, len(log), one.key, one.value, one.headers, 0))
        if self.struck is not None:
            raise Struck
        return Sent(tuple(confirmed))

    async def restart(self) -> None:
        """Nothing to restart."""

    async def ends(self, places: Collection[Place]) -> Mapping[Place, int]:
        """They never go back."""
        return {place: len(self.partitions[place]) for place in places}

    def own_name(self, topic: str) -> str:
        """It has no prefix."""
        return topic


class Ground:
    """One database, used from the synchronous steps of a model."""

    def __init__(
        self, database: str, settings: Settings, engine: Callable[[Role], AsyncEngine]
    ) -> None:
        self._runner = asyncio.Runner()
        self.database = database
        self.pipeline = engine("headrace_pipeline")
        self.owner = engine("headrace_owner")
        self.api = engine("headrace_api")
        self._kept: asyncpg.Connection | None = None
        self.bench = Bench(self.pipeline, settings)

    def do(self, act: Awaitable[T]) -> T:
        """Wait for it."""

        async def awaited() -> T:
            return await act

        return self._runner.run(awaited())

    def empty(self) -> None:
        """As a new database."""
        self.do(self._empty())

    async def _empty(self) -> None:
        async with self.owner.begin() as tx:
            await tx.execute(text(f"TRUNCATE {', '.join(EMPTIED)} CASCADE"))
            await tx.execute(text("UPDATE clock_offset SET value = '0'"))

    async def ask(self, query: str, **given: Any) -> list[Any]:
        """Rows."""
        async with self.pipeline.begin() as tx:
            return list((await tx.execute(text(query), given)).all())

    def runner(self, handle: Callable[[Handle], Handle], crash: str = "") -> Runner:
        """Billing's, whose process ends before or after the commit."""

        begun: list[AsyncConnection] = []

        @asynccontextmanager
        async def begin() -> AsyncIterator[AsyncConnection]:
            async with self.pipeline.begin() as tx:
                begun.append(tx)
                ends = len(begun) > 1  # the first one notes where the process begins
                yield tx
                if crash == "before" and ends:
                    raise Transient("before the commit")
            if crash == "after" and ends:
                raise Transient("after the commit")

        return self.bench.runner("billing", handle(self.bench.handler("billing")), begin).runner

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """The relay's or the door's.

        Whoever ends, its single statements leave nothing behind in it.
        """
        if self._kept is None:
            self._kept = await asyncpg.connect(
                self.database, server_settings={"role": "headrace_pipeline"}
            )
        yield self._kept

    def close(self) -> None:
        """Give everything back."""
        if self._kept is not None:
            self.do(self._kept.close())
        for engine in (self.pipeline, self.owner, self.api):
            self.do(engine.dispose())
        self._runner.close()
