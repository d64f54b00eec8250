"""Hold a topic, wait until all of it is consumed, add partitions, let it go on: each step can be called again."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg
from aiokafka.admin import NewPartitions
from aiokafka.errors import KafkaError

from compose.growing.standing import CannotGrow, Look, Standing, check, looking
from compose.settings import Settings
from compose.topics import METADATA_SECONDS
from producers.outbox.layout import hold, lift
from producers.outbox.ports import Reached, nothing
from producers.outbox.relay import elected
from schemas.topics import TOPICS

OFFICE = "topics grow"
OFFICE_SECONDS = 5.0  # Postgres may take a moment to notice that the one who held it was killed
LOOK_SECONDS = 0.2
AWARE_SECONDS = 60.0  # how long it waits for those who read it; they find out sooner or later

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Growth:
    """Of one topic, by the one who may; `tell` hears how far it is."""

    look: Look
    topic: str
    tell: Tell
    reached: Reached = nothing

    async def standing(self) -> Standing:
        """How it is now."""
        return await self.look.standing(self.topic)

    async def grow(self, partitions: int, by: str, timeout_seconds: float) -> Standing:
        """To so many partitions, or take over so many that somebody else made; raises CannotGrow.

        Killed at any step, it leaves the topic held, and goes on when it is called again with the same number.
        """
        before = await self.standing()
        check(before, partitions)
        if before.spread_over == partitions:
            return before
        await hold(self.look.connection, self.topic, before.spread_over, partitions, by)
        self.tell(f"{self.topic} is held: what is accepted for it waits")
        self.reached("grow.held")
        try:
            await self._drained(before.partitions, timeout_seconds)
        except BaseException:
            if before.partitions == before.spread_over:
                with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    await self._lifted(before.spread_over)
                    self.tell(f"{self.topic} goes on as before")
            raise
        self.reached("grow.drained")
        await self._added(partitions)
        self.reached("grow.added")
        await self._lifted(partitions)
        self.tell(f"{self.topic} goes on over {partitions} partitions")
        await self._taken_up(partitions)
        return await self.standing()

    async def abandon(self) -> Standing:
        """Lift a hold that was left; raises CannotGrow once there are partitions that keys are not spread over."""
        standing = await self.standing()
        if standing.partitions != standing.spread_over:
            raise CannotGrow(
                f"{self.topic} has {standing.partitions} partitions, and its keys are over {standing.spread_over}",
                f"take them over: headrace topics grow {self.topic} {standing.partitions}",
            )
        await self._lifted(standing.spread_over)
        return await self.standing()

    async def _drained(self, partitions: int, timeout_seconds: float) -> None:
        until = time.monotonic() + timeout_seconds
        told = ""
        while True:
            settled = await self.look.settled(self.topic)
            behind = await self.look.behind(self.topic, partitions) if settled else {}
            if settled and not behind:
                return
            lags = ", ".join(f"{one} is {lag} behind" for one, lag in behind.items())
            if time.monotonic() > until and settled:
                raise CannotGrow(
                    f"{self.topic} was not consumed to its end within {timeout_seconds:g} s", lags,
                    "do they run, or is one paused? headrace consumers list",
                )  # fmt: skip
            if time.monotonic() > until:
                raise CannotGrow(f"no relay has let {self.topic} rest within {timeout_seconds:g} s", "does one run?")
            if told != (told := lags or "the relay has not seen it yet"):
                self.tell(told)
            await asyncio.sleep(LOOK_SECONDS)

    async def _added(self, partitions: int) -> None:
        found = await self.look.partitions(self.topic)
        if found < partitions:
            name = self.look.settings.kafka_topic_prefix + self.topic
            await self.look.admin.create_partitions({name: NewPartitions(partitions)})
        until = time.monotonic() + METADATA_SECONDS
        while found != partitions:
            if found > partitions or time.monotonic() > until:
                raise CannotGrow(
                    f"{self.topic} has {found} partitions of a sudden, and stays held",
                    f"headrace topics grow {self.topic} {max(found, partitions)}",
                )
            await asyncio.sleep(LOOK_SECONDS)
            found = await self.look.partitions(self.topic)

    async def _taken_up(self, partitions: int) -> None:
        until = time.monotonic() + AWARE_SECONDS
        told = ""
        while True:
            try:
                unaware = await self.look.unaware(self.topic, partitions)
                said = f"not read yet by {', '.join(unaware)}"
            except KafkaError as error:  # the growth itself is done
                unaware, said = ["?"], f"nobody can say yet who reads them: {error!r}"
            if not unaware:
                self.tell("all who read it and run have the new partitions")
                return
            if time.monotonic() > until:
                self.tell("what comes to the new partitions waits for them")
                return
            if told != (told := said):
                self.tell(said)
            await asyncio.sleep(LOOK_SECONDS)

    async def _lifted(self, partitions: int) -> None:
        async with self.look.connection.transaction():
            await lift(self.look.connection, self.topic, partitions)


@asynccontextmanager
async def growing(settings: Settings, topic: str, tell: Tell, reached: Reached = nothing) -> AsyncIterator[Growth]:
    """The one who may grow topics; raises CannotGrow for a topic that nobody knows, and while another may."""
    known = [one.name for one in TOPICS]
    if topic not in known:
        raise CannotGrow(f"there is no topic {topic!r}", f"known: {', '.join(known)}")
    async with looking(settings) as look:
        until = time.monotonic() + OFFICE_SECONDS
        while not await elected(look.connection, OFFICE):
            if time.monotonic() > until:
                raise CannotGrow("somebody else is growing a topic")
            await asyncio.sleep(LOOK_SECONDS)
        yield Growth(look, topic, tell, reached)
