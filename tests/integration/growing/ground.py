"""A topic on which somebody writes without a pause, its relay, and all who read it.

What each of them saw.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.consumer_groups import group_of
from compose.kafka.log import KafkaLog
from compose.kafka.subscription import Subscription, Timing
from compose.kafka.topics import partitions_of
from compose.postgres.positions import Positions
from compose.settings import Settings
from producers.outbox.partition_layout import Layout
from producers.outbox.relay import relay
from schemas.ports import PositionCheck
from schemas.record import PollBatch
from schemas.topics import TOPICS, WEBHOOKS
from tests.chaos.live_stack import COMMAND
from tests.chaos.lives import variables
from tests.eventually import eventually
from tests.integration.relay.log import numbered, write
from tests.integration.subscription.world import served

TOPIC = WEBHOOKS.name
READERS = ("ingest", "billing")
KEYS = [f"key-{number}" for number in range(30)]
QUICK = Timing(watch_seconds=0.2, metadata_seconds=0.5)


@dataclass
class Reader:
    """Moves a consumer's positions as its runner does, and remembers what was committed.

    Waits while it is not open.
    """

    positions: Positions
    open: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[tuple[str, int, int]] = field(default_factory=list)

    async def __call__(self, delivery: PollBatch) -> bool:
        await self.open.wait()
        async with self.positions.pipeline.begin() as tx:
            standing = await self.positions.check(tx, delivery.spans)
            if standing is not PositionCheck.HERE:
                return standing is PositionCheck.PASSED
            await self.positions.advance(tx, delivery.spans)
        for record in delivery.records:
            key, _, number = (record.value or b"").decode().partition(":")
            self.seen.append((key, int(number), record.partition))
        return True

    def first_appearances(self) -> dict[str, list[int]]:
        """The numbers of each key in the order in which each was first seen."""
        found: dict[str, dict[int, None]] = {key: {} for key in KEYS}
        for key, number, _ in self.seen:
            found[key][number] = None
        return {key: list(numbers) for key, numbers in found.items()}

    def partitions(self) -> set[int]:
        """Where it has seen something."""
        return {partition for _, _, partition in self.seen}


@dataclass
class Ground:
    """The servers, the readers by name, and how many of each key were written."""

    settings: Settings
    pipeline: AsyncEngine
    admin: AIOKafkaAdminClient
    readers: dict[str, Reader]
    written: int = 0
    unconfirmed: int = 0

    async def value(self, query: str) -> Any:
        """The first column of the first row."""
        async with self.pipeline.begin() as tx:
            return (await tx.execute(text(query))).scalar_one_or_none()

    async def held(self) -> bool:
        """Whether the topic is."""
        return bool(
            await self.value(
                f"SELECT held_since IS NOT NULL FROM topic_layouts WHERE topic = '{TOPIC}'"
            )
        )

    async def partitions(self) -> int:
        """How many Kafka has."""
        name = self.settings.kafka_topic_prefix + TOPIC
        return (await partitions_of(self.admin, [name]))[name]

    def open(self, *, yes: bool = True) -> None:
        """Let the readers go on, or wait."""
        for one in self.readers.values():
            one.open.set() if yes else one.open.clear()

    async def more(self, rounds: int = 5) -> None:
        """So much more was written."""
        until = self.written + rounds
        await eventually(partial(_now, lambda: self.written), lambda written: written >= until)

    async def parked(self) -> None:
        """Something waits for the hold to be lifted."""
        await eventually(
            lambda: self.value("SELECT count(*) FROM outbox_held"), lambda count: count >= len(KEYS)
        )

    async def seen_above(self, partition: int) -> None:
        """Every reader has something of the partitions from this one on."""
        await eventually(
            partial(
                _now, lambda: [max(one.partitions(), default=0) for one in self.readers.values()]
            ),
            lambda found: min(found) >= partition,
        )

    async def end(self) -> None:
        """Every reader saw all of it, each key in its order.

        Nothing twice unless Kafka did not confirm a round.
        """

        def left() -> list[int]:
            return [
                self.written * len(KEYS) - sum(map(len, one.first_appearances().values()))
                for one in self.readers.values()
            ]

        await eventually(partial(_now, left), lambda found: not any(found))
        for name, one in self.readers.items():
            assert one.first_appearances() == {key: list(range(self.written)) for key in KEYS}, name
            assert self.unconfirmed or len(one.seen) == self.written * len(KEYS), name
        assert await self.value("SELECT count(*) FROM outbox_held") == 0

    async def run(self, *arguments: str, **more: str) -> tuple[int, str, str]:
        """`headrace topics …` as a process: its status, what it printed, what it said beside
        that.
        """
        child = await asyncio.create_subprocess_exec(
            *COMMAND,
            "topics",
            *arguments,
            env=variables(self.settings) | {"COLUMNS": "200", "NO_COLOR": "1"} | more,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await child.communicate()
        return child.returncode or 0, out.decode(), err.decode()

    async def killed(self, step: str, partitions: int) -> None:
        """`headrace topics grow`, killed at a step."""
        code, _, said = await self.run("grow", TOPIC, str(partitions), CRASH_AT=f"{step}:1")
        assert (code, f"killed at {step}" in said) == (-signal.SIGKILL, True), said


async def _now(look: Callable[[], Any]) -> Any:
    return look()


@asynccontextmanager
async def ground(
    settings: Settings,
    pipeline: AsyncEngine,
    admin: AIOKafkaAdminClient,
    *,
    reading: bool = True,
    relaying: bool = True,
) -> AsyncIterator[Ground]:
    """Readers and relay at work; the writer is the test's to start."""
    readers = {name: Reader(Positions(pipeline, name)) for name in READERS}
    found = Ground(settings, pipeline, admin, readers)
    found.open()
    async with asyncio.TaskGroup() as group:
        stop = asyncio.Event()
        if relaying:
            group.create_task(_relaying(found, stop))
        try:
            if reading:
                prefix = settings.kafka_topic_prefix
                name = prefix + TOPIC
                ingest, billing = (
                    Subscription(
                        settings.kafka,
                        group_of(one, prefix),
                        [name],
                        reader.positions,
                        reader,
                        100,
                        QUICK,
                    )
                    for one, reader in readers.items()
                )
                async with served(ingest), served(billing):
                    yield found
            else:
                yield found
        finally:
            stop.set()


@asynccontextmanager
async def writing(found: Ground) -> AsyncIterator[None]:
    """One more of each key, again and again, until the end."""
    stop = asyncio.Event()

    async def on_and_on() -> None:
        while not stop.is_set():
            rows = [numbered(key, [found.written], TOPIC)[0] for key in KEYS]
            await write(found.pipeline, rows)
            found.written += 1
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as group:
        group.create_task(on_and_on())
        try:
            yield
        finally:
            stop.set()


async def _relaying(found: Ground, stop: asyncio.Event) -> None:
    def relayed(records: int | None) -> None:
        found.unconfirmed += records is None

    layout = Layout({topic.name: topic.partitions for topic in TOPICS})
    kafka = KafkaLog(
        found.settings.kafka,
        found.settings.kafka_topic_prefix,
        spread=layout.partitions,
        metadata_seconds=0.5,
    )
    url = found.settings.postgres_url.get_secret_value()
    connection = await asyncpg.connect(url, server_settings={"role": "headrace_pipeline"})
    try:
        await relay(connection, kafka, stop, layout, relayed=relayed)
    finally:
        await kafka.stop()
        await connection.close()
