"""Whether a delivery is handled record by record, each counted in its own transaction before it is
handled.

A healthy process pays one statement for each partition in its life, and a look every few seconds.
One that begins where another had begun before may hold what killed that one: it counts, so that the
process which dies next says with what.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from consumers.log.poison import store
from consumers.log.poison.store import Subscriber
from schemas.ports import Transactions
from schemas.record import Record, Span

log = logging.getLogger(__name__)
MOST_DEATHS = 3
SUSPECT_OFFSETS = 1000
"""How far behind the place of two starts the guilty record can stand: more than one delivery
holds.
"""
LOOK_SECONDS = 5.0

Place = tuple[str, int]


class Verdict(NamedTuple):
    """Why a record is not handled but parked; `unread` when even reading it may be what kills."""

    error: str
    attempts: int
    unread: bool


@dataclass
class Guard:
    """One subscriber's, in one process."""

    who: Subscriber
    begin: Transactions
    alone: asyncio.Lock
    """One for the process: what may kill it is in hand alone, so that no other record is blamed."""
    _begun: set[Place] = field(default_factory=set)
    _until: dict[Place, int] = field(default_factory=dict)
    _ordered: dict[Place, list[int]] = field(default_factory=dict)
    _counted: dict[Place, int] = field(default_factory=dict)
    """By partition the record that this process has counted: it is alive, so it counts once."""
    _look_at: float = 0.0

    async def concerns(self, spans: Sequence[Span]) -> bool:
        """Whether these partitions' records are to be taken in hand one by one."""
        new = [span for span in spans if (span.topic, span.partition) not in self._begun]
        if new or time.monotonic() >= self._look_at:
            await self._look(new)
        if not self._until and not self._ordered:
            return False
        return any(map(self._is_suspect, spans))

    async def handle(
        self,
        record: Record,
        handle: Callable[[], Awaitable[bool | float]],
        park: Callable[[Verdict], Awaitable[bool]],
    ) -> bool | float:
        """Handle one record, counted before, or park it.

        What became of it is what the callable returns.
        """
        async with self.alone:
            verdict = await self.count(record)
            became: bool | float = False
            try:
                if verdict is None:
                    became = await handle()
                else:
                    log.error("%s: dead letter: %s", self.who.consumer, verdict.error)
                    became = await park(verdict)
            finally:
                if became is not True:
                    await self._give_back(record)
            return became

    async def count(self, record: Record) -> Verdict | None:
        """Count a record before it is handled; the verdict when it must not be handled."""
        place = (record.topic, record.partition)
        counts = self._counted.get(place) != record.offset
        async with self.begin() as tx:
            taken = await store.take(tx, self.who, record, counts=counts)
        self._counted[place] = record.offset
        deaths = taken.deaths - 1
        if taken.ordered_by is not None:
            return Verdict(
                f"parked by {taken.ordered_by}: {taken.reason}",
                max(deaths, 1),
                deaths > MOST_DEATHS,
            )
        if deaths >= MOST_DEATHS:
            return Verdict(
                f"the process died {deaths} times with this record in hand",
                deaths,
                deaths > MOST_DEATHS,
            )
        return None

    async def _give_back(self, record: Record) -> None:
        """Take back the count of what was not handled while nobody died; a database that fails is
        ignored.
        """
        try:
            async with self.begin() as tx:
                await store.give_back(tx, self.who, record)
            self._counted.pop((record.topic, record.partition), None)
        except Exception as error:  # noqa: BLE001  # what was raised before it counts
            log.warning("%s: a record stays counted as in hand: %r", self.who.consumer, error)

    async def drop(self, record: Record) -> None:
        """Take back every count of it; a database that fails is ignored."""
        try:
            async with self.begin() as tx:
                await store.drop(tx, self.who, record)
            self._counted.pop((record.topic, record.partition), None)
        except Exception as error:  # noqa: BLE001  # what was raised before it counts
            log.warning("%s: a record stays counted as in hand: %r", self.who.consumer, error)

    async def passed(self, spans: Sequence[Span]) -> None:
        """Forget the counts before the ends of these spans, which were applied."""
        async with self.begin() as tx:
            await store.forget(
                tx, self.who, [(one.topic, one.partition, one.next) for one in spans]
            )
        for span in spans:
            place = (span.topic, span.partition)
            if self._until.get(place, 0) <= span.next:
                self._until.pop(place, None)

    async def _look(self, new: Sequence[Span]) -> None:
        async with self.begin() as tx:
            starts = await store.begin(tx, self.who, new) if new else {}
            if new:
                await store.forget(
                    tx, self.who, [(one.topic, one.partition, one.start) for one in new]
                )
            found = await store.suspects(tx, self.who)
        held = {(one.topic, one.partition) for one in found if one.deaths}
        for span in new:
            place = (span.topic, span.partition)
            if starts[place] > 1 or place in held:
                self._until[place] = span.start + SUSPECT_OFFSETS
                log.warning(
                    "%s: %s[%d] from %d on is handled record by record: a process ended here",
                    self.who.consumer,
                    *place,
                    span.start,
                )
        self._begun.update((span.topic, span.partition) for span in new)
        self._ordered = {}
        for one in found:
            if one.ordered:
                self._ordered.setdefault((one.topic, one.partition), []).append(one.offset)
        self._look_at = time.monotonic() + LOOK_SECONDS

    def _is_suspect(self, span: Span) -> bool:
        place = (span.topic, span.partition)
        if span.start < self._until.get(place, 0):
            return True
        return any(span.start <= offset < span.next for offset in self._ordered.get(place, ()))
