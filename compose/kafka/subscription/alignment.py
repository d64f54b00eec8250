"""Putting the assigned partitions where the subscriber's positions say, as often as it takes."""

import asyncio
import logging
from contextlib import suppress

from compose.kafka.subscription.cursor import Cursor
from compose.kafka.subscription.log import ends, require_cluster, require_inside
from compose.kafka.subscription.ports import (
    RESTORE,
    NeedsOperator,
    Partition,
    PauseCheck,
    Positions,
    Timing,
)
from compose.kafka.subscription.same_log import require_confirmed, require_last_events

UNCERTAIN_LOOKS = 3  # so often in a row an uncertain finding must be made

logger = logging.getLogger(__name__)


class Alignment:
    """One task: whoever suspends the cursor asks; it looks up, checks, seeks and resumes."""

    def __init__(
        self,
        bootstrap: str,
        cursor: Cursor,
        positions: Positions,
        idle: asyncio.Event,
        gate: PauseCheck,
        timing: Timing,
    ) -> None:
        self._bootstrap = bootstrap
        self._cursor = cursor
        self._positions = positions
        self._idle = idle
        self._gate = gate
        self._timing = timing
        self._asked = asyncio.Event()
        self._wait_seconds = 0.0
        self._reported = ""

    def ask(self, wait_seconds: float = 0.0) -> None:
        """Align the suspended partitions, not before so many seconds have passed."""
        self._wait_seconds = wait_seconds
        self._asked.set()

    async def run(self) -> None:
        """Align after each request, until cancelled."""
        while True:
            await self._asked.wait()
            await asyncio.sleep(self._wait_seconds)
            self._asked.clear()
            await self._align()

    async def _align(self) -> None:
        failures = looks = 0
        while True:
            await self._gate.opened()
            await self._idle.wait()  # a handler that still runs may move what we are about to read
            try:
                async with asyncio.timeout(self._timing.look_up_seconds):
                    left = await self._place()
            except NeedsOperator as error:
                looks += 1
                if error.is_certain or looks >= UNCERTAIN_LOOKS:
                    await self._report(error)
                    await asyncio.sleep(self._timing.operator_seconds)
                    continue
                failures += 1
            except Exception:
                failures += 1
                logger.exception("positions could not be looked up; nothing is delivered meanwhile")
            else:
                if not left:
                    return
                if not failures:
                    logger.warning(
                        "%s: without a leader, delivered later; the others are delivered", left
                    )
                failures += 1
            if await self._is_asked(self._timing.backoff(failures)):
                return

    async def _is_asked(self, seconds: float) -> bool:
        """Whether somebody suspended all of them meanwhile: then everything is looked up anew."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._asked.wait(), seconds)
        return self._asked.is_set()

    async def _report(self, error: NeedsOperator) -> None:
        """Log it once, and note it where the operator's commands find it.

        The database may be away.
        """
        where = [error.partition] if error.partition else self._cursor.assigned()
        try:
            async with asyncio.timeout(self._timing.look_up_seconds):
                await self._positions.block(where, str(error))
        except Exception:
            logger.exception("that an operator is needed could not be noted")
        if self._reported != str(error):
            logger.critical("waiting for an operator, nothing is delivered: %s; %s", error, RESTORE)
        self._reported = str(error)

    async def _place(self) -> list[Partition]:
        """Place what is not placed yet.

        Returns the partitions that cannot be, for they have no leader.
        """
        epoch = self._cursor.epoch
        placed = self._cursor.placed()
        missing = [one for one in self._cursor.assigned() if one not in placed]
        partitions = self._cursor.led(missing)
        left = [one for one in missing if one not in partitions]
        if not partitions:
            return left
        await require_cluster(self._bootstrap, await self._positions.cluster())
        known = await self._positions.read(partitions)
        marks = await self._positions.marks(partitions)  # before the ends: they only grow
        found = await ends(self._cursor.consumer, partitions)
        offsets = {partition: known.get(partition, found[partition][0]) for partition in partitions}
        if self._cursor.epoch != epoch:
            return (
                left  # suspended again meanwhile; whoever did so asks, or the next assignment does
            )
        require_confirmed(marks, found)
        require_inside(offsets, found)
        await require_last_events(self._bootstrap, marks, found)
        await self._positions.unblock(partitions)
        if self._cursor.epoch != epoch:
            return left
        if self._reported:
            logger.warning("delivery continues: what needed an operator is restored")
            self._reported = ""
        self._cursor.place(offsets)
        return left
