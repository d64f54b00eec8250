"""Sees what FastStream does not tell: poll errors it swallowed, a consumer that sits still, a
handler without end.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka.errors import KafkaError

from compose.kafka.log_mark import Mark
from compose.kafka.subscription.cursor import Cursor
from compose.kafka.subscription.log import ends
from compose.kafka.subscription.ports import (
    NeedsOperator,
    OutsideLogError,
    Partition,
    StalledError,
    Timing,
)
from compose.kafka.subscription.same_log import require_confirmed

Marks = Callable[[Sequence[Partition]], Awaitable[Mapping[Partition, Mark]]]
ABOVE_END_ROUNDS = 3

logger = logging.getLogger(__name__)


class Watchdog:
    """One task beside the poll loop; raising ends the subscription.

    `misplaced` is called when a position is no longer in the log: the alignment then finds out why.
    """

    def __init__(
        self,
        cursor: Cursor,
        timing: Timing,
        misplaced: Callable[[], object] = bool,
        marks: Marks | None = None,
    ) -> None:
        self._cursor = cursor
        self._marks = marks
        self._misplaced = misplaced
        self._timing = timing
        self._above_end = 0
        self._still_since: float | None = None
        self._seen: object = None
        self.handling_since: float | None = None  # set while a handler runs

    async def run(self) -> None:
        """Look every `watch_seconds`, until cancelled."""
        while True:
            await asyncio.sleep(self._timing.watch_seconds)
            await self.commit(self._timing.watch_seconds)
            self._check_handler()
            try:
                async with asyncio.timeout(self._timing.look_up_seconds):
                    lag = await self._check_range()
            except (KafkaError, TimeoutError) as error:
                logger.warning("the log's ends could not be read: %r", error)
                lag = False  # unknown: Kafka is down, which a new process would not repair
            except NeedsOperator as error:
                logger.warning("nothing more is delivered: %s", error)
                self._above_end = 0
                self._cursor.suspend()
                self._misplaced()
                lag = False
            await self._check_progress(lag)

    async def commit(self, seconds: float) -> None:
        """Tell lag tools how far the subscriber is.

        Nothing of ours reads it, so errors only show in the log.
        """
        offsets = self._cursor.uncommitted()
        if not offsets:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._cursor.consumer.commit(offsets)
        except (KafkaError, TimeoutError) as error:
            logger.info("group offsets were not committed: %r", error)

    def _check_handler(self) -> None:
        since = self.handling_since
        if since is not None and time.monotonic() - since > 0.8 * self._timing.max_handle_seconds:
            raise StalledError(f"a handler has run for {time.monotonic() - since:.0f} s")

    async def _check_range(self) -> bool:
        """Whether there is lag.

        Raises OutsideLogError when the log moved away under a partition.
        """
        before, epoch = await self._cursor.positions(), self._cursor.epoch
        if not before:
            return False
        marks = await self._read_marks(list(before))  # before the ends: they only grow
        found = await ends(self._cursor.consumer, before)
        if self._cursor.epoch != epoch:
            return False
        require_confirmed(marks, found)
        now = await self._cursor.positions()
        above = False
        for partition, (begin, end) in found.items():
            if now[partition] < begin:
                raise OutsideLogError(partition, now[partition], begin, end)
            if before[partition] > end:
                above = True
                if self._above_end + 1 == ABOVE_END_ROUNDS:
                    raise OutsideLogError(partition, before[partition], begin, end)
        self._above_end = self._above_end + 1 if above else 0
        return any(now[partition] < end for partition, (_, end) in found.items())

    async def _read_marks(self, partitions: Sequence[Partition]) -> Mapping[Partition, Mark]:
        """Return none while the database cannot say: the handler has the same trouble."""
        if self._marks is None:
            return {}
        try:
            return await self._marks(partitions)
        except Exception as error:  # noqa: BLE001 - a watchdog that ends would end the subscription
            logger.info("the log's marks could not be read: %r", error)
            return {}

    async def _check_progress(self, lag: bool) -> None:
        seen = (self._cursor.activity, await self._cursor.positions())
        if not lag or self.handling_since is not None or seen != self._seen:
            self._seen = seen
            self._still_since = None
            return
        if self._still_since is None:
            self._still_since = time.monotonic()
        elif time.monotonic() - self._still_since > self._timing.stall_seconds:
            raise StalledError(
                f"there is lag, and nothing was delivered for {self._timing.stall_seconds:.0f} s"
            )
