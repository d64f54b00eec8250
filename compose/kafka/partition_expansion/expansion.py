"""Hold a topic, wait until all of it is consumed, add partitions, let it go on."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg
from aiokafka.admin import NewPartitions

from compose.kafka.partition_expansion.progress import (
    RESTORE,
    CannotGrow,
    Look,
    TopicStatus,
    looking,
)
from compose.kafka.topics import METADATA_SECONDS
from compose.settings import Settings
from producers.outbox.partition_layout import hold, lift
from producers.outbox.relay import elected
from schemas.ports import Failpoint, no_failpoint
from schemas.topics import TOPICS

LOCK = "topics grow"
LOCK_SECONDS = 5.0  # Postgres may take a moment to notice that the one who held it was killed
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class PartitionExpansion:
    """Of one topic, by the one who may; `tell` receives how far it is."""

    look: Look
    topic: str
    tell: Callable[[str], None]
    failpoint: Failpoint = no_failpoint

    async def grow(self, partitions: int, by: str, timeout_seconds: float) -> TopicStatus:
        """To so many partitions, or take over so many that somebody else made; raises CannotGrow.

        Killed at any step, it leaves the topic held. Called again with the same number it finishes;
        with the number that the topic has, before any were added, it only ends the hold.
        """
        before = await self.look.status(self.topic)
        check(before, partitions)
        spread = before.spread_over
        if partitions == spread:
            if before.held_since is not None:
                await self._lift(spread)
            return await self.look.status(self.topic)
        await hold(self.look.connection, self.topic, spread, partitions, by)
        self.tell(f"{self.topic} is suspended: what is accepted for it waits")
        self.failpoint("grow.held")
        try:
            await self._drain(before.partitions, timeout_seconds)
        except BaseException:
            if before.partitions == spread:
                with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await self._lift(spread)
            raise
        self.failpoint("grow.drained")
        await self._add(partitions)
        self.failpoint("grow.added")
        await self._lift(partitions)
        return await self.look.status(self.topic)

    async def _drain(self, partitions: int, timeout_seconds: float) -> None:
        until, why = time.monotonic() + timeout_seconds, ""
        while True:
            settled, before = await self.look.settled(self.topic), why
            behind = await self.look.behind(self.topic, partitions) if settled else {}
            if settled and not behind:
                return
            lags = ", ".join(f"{one} is {lag} behind" for one, lag in behind.items())
            why = lags or "no relay has suspended it: does one run?"
            if time.monotonic() > until:
                raise CannotGrow(
                    f"{self.topic} was not consumed to its end within {timeout_seconds:g} s",
                    why,
                    "do they run, or is one paused? headrace consumers list",
                )
            if why != before:
                self.tell(why)
            await asyncio.sleep(LOOK_SECONDS)

    async def _add(self, partitions: int) -> None:
        found = await self.look.partitions(self.topic)
        if found < partitions:
            name = self.look.settings.kafka_topic_prefix + self.topic
            await self.look.admin.create_partitions({name: NewPartitions(partitions)})
        until = time.monotonic() + METADATA_SECONDS
        while (found := await self.look.partitions(self.topic)) != partitions:
            if found > partitions or time.monotonic() > until:
                raise CannotGrow(
                    f"{self.topic} has {found} partitions now, and stays suspended",
                    f"headrace topics grow {self.topic} {max(found, partitions)}",
                )
            await asyncio.sleep(LOOK_SECONDS)

    async def _lift(self, partitions: int) -> None:
        async with self.look.connection.transaction():
            await lift(self.look.connection, self.topic, partitions)
        self.tell(f"{self.topic} continues over {partitions} partitions")


def check(standing: TopicStatus, partitions: int) -> None:
    """Raise CannotGrow for a number that this topic cannot be grown to, and for one that a
    restore holds.
    """
    topic, spread, found = standing.topic, standing.spread_over, standing.partitions
    if found < spread:
        raise CannotGrow(
            f"{topic} has {found} partitions and had {spread}: it was made anew, its records are "
            "gone"
        )
    if partitions < found:
        taking = (
            [f"these are taken over by: headrace topics grow {topic} {found}"]
            if found != spread
            else []
        )
        raise CannotGrow(f"{topic} has {found} partitions, and Kafka takes none away", *taking)
    if standing.held_by == RESTORE:
        raise CannotGrow(f"a restore of {topic} was not finished", "headrace topics restore")


async def alone(look: Look) -> bool:
    """Whether this connection, until it closes, is the only one that may grow and restore
    topics.
    """
    until = time.monotonic() + LOCK_SECONDS
    while not await elected(look.connection, LOCK):
        if time.monotonic() > until:
            return False
        await asyncio.sleep(LOOK_SECONDS)
    return True


@asynccontextmanager
async def growing(
    settings: Settings, topic: str, tell: Callable[[str], None], failpoint: Failpoint = no_failpoint
) -> AsyncIterator[PartitionExpansion]:
    """The one who may grow topics.

    Raises CannotGrow for an unknown topic, and while another may.
    """
    known = [one.name for one in TOPICS]
    if topic not in known:
        raise CannotGrow(f"there is no topic {topic!r}", f"known: {', '.join(known)}")
    async with looking(settings) as look:
        if not await alone(look):
            raise CannotGrow("another command is growing a topic")
        yield PartitionExpansion(look, topic, tell, failpoint)
