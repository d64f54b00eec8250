"""The loop body of every projection: a delivery in, folded and committed together with its
positions.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from projections.ports import Breaker, GivenUp, Guard, Park, Passing, View
from projections.reading import consumer_of
from schemas.decode import read
from schemas.errors import Tripped
from schemas.event import Event
from schemas.event_decode import FromNewer, Undecodable
from schemas.ports import Counted, Failpoint, Positions, Transactions, no_failpoint, uncounted
from schemas.record import PollBatch, Record, Span, event_id_of

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)
RESUME = "its positions stay; once the cause is fixed: headrace consumers resume"
READ_BYTES = 512 << 10
UNCOUNTED = "unknown_version"  # it says nothing against this code, as with consumers


class _Read(NamedTuple):
    """A record that is the view's, and if it cannot be folded the class and the reason."""

    record: Record
    event: Event | None
    error_class: str | None = None
    error: str = ""


@dataclass(frozen=True)
class Engine:
    """Folds one generation of one view. It writes rows and never events: a rebuild must not bill
    or notify again.
    """

    view: View
    generation: int
    begin: Transactions
    positions: Positions
    park: Park
    passing: Passing
    breaker: Breaker
    guard: Guard
    topic_prefix: str = ""
    failpoint: Failpoint = no_failpoint
    counted: Counted = uncounted

    async def __call__(self, delivery: PollBatch) -> bool:
        """Apply a delivery; True when it is committed, False when the positions are elsewhere or
        must not move: seek again.

        Raises what is transient. A record that cannot be folded is parked alone; the view is then
        repaired by a rebuild. Too many of these: the breaker, and nothing of the delivery is parked
        or folded.
        """
        try:
            if await self.guard.concerns(delivery.spans):
                return await self._guarded(delivery)
            return await self._apply(delivery)
        except Tripped as tripped:
            async with self.begin() as tx:
                first = await self.breaker.blow(tx, tripped)
            if first:
                log.error(
                    "%s: paused by its breaker: %s; %s",
                    consumer_of(self.view.name),
                    tripped,
                    RESUME,
                )
            return False

    async def _guarded(self, delivery: PollBatch) -> bool:
        """One by one, each counted before: somewhere here a process ended, or an operator wants
        a record parked.
        """
        async with self.begin() as tx:
            check = await self.positions.check(tx, delivery.spans)
            await tx.rollback()  # the rows that it makes come with an effect
        if check.name != "HERE":
            return check.name == "PASSED"
        for span in delivery.spans:
            start = span.start
            own = [
                one
                for one in delivery.records
                if (one.topic, one.partition) == (span.topic, span.partition)
            ]
            for place, record in enumerate(own):
                end = span.next if place == len(own) - 1 else record.offset + 1
                own_span = Span(span.topic, span.partition, start, end, event_id_of(record.headers))
                alone = PollBatch((record,), (own_span,))
                if await self._in_hand(record, alone) is not True:
                    return False
                start = end
        await self.guard.passed(delivery.spans)
        return True

    async def _in_hand(self, record: Record, alone: PollBatch) -> bool | float:
        async def park(given_up: GivenUp) -> bool:
            return await self._once(alone, one_by_one=False, given_up=given_up)

        return await self.guard.handle(record, lambda: self._apply(alone), park)

    async def _apply(self, delivery: PollBatch) -> bool:
        try:
            return await self._once(delivery, one_by_one=False)
        except Tripped:
            raise
        except Exception as error:
            if self.passing(error):
                raise
            log.exception(
                "%s: a batch of %d failed; one by one", self.view.name, len(delivery.records)
            )
        return await self._once(delivery, one_by_one=True)

    async def _once(
        self, delivery: PollBatch, *, one_by_one: bool, given_up: GivenUp | None = None
    ) -> bool:
        async with self.begin() as tx:
            check = await self.positions.check(tx, delivery.spans)
            if check.name != "HERE":
                return check.name == "PASSED"
            unread = given_up is not None and given_up.unread
            found = await self._read_all(delivery.records, unread=unread)
            if given_up is not None:
                found = [
                    one._replace(error_class="internal", error=given_up.error) for one in found
                ]
            elif one_by_one:
                found = [await self._alone(tx, one) for one in found]
            elif events := [one.event for one in found if one.event is not None]:
                await self.view.apply(tx, self.generation, events)
            letters: Counter[str] = Counter()
            for record, event, error_class, error in found:
                if error_class is not None:
                    await self.park(tx, self.view.name, record, event, error_class, error)
                    letters[error_class] += 1
            results = [
                (one.error_class is None, None if one.event is None else one.event.tenantid)
                for one in found
                if one.error_class != UNCOUNTED
            ]
            if self.breaker.is_due or not all(good for good, _ in results):
                await self.breaker.judge(tx, results)
            await self.positions.advance(tx, delivery.spans)
            self.failpoint("engine.folded")
        self.failpoint("engine.committed")
        self.breaker.committed(results)
        parked = letters.total()
        self.counted(+Counter({"applied": len(found) - parked, "dead_letter": parked}), letters)
        return True

    async def _read_all(self, records: Sequence[Record], *, unread: bool = False) -> list[_Read]:
        """What is the view's.

        Wide records take milliseconds each, so the loop turns between some of them.
        """
        if unread:
            return [_Read(record, None) for record in records]
        found, size = [], 0
        for record in records:
            one = self._read(record)
            if one is not None:
                found.append(one)
            size += len(record.value or b"")
            if size > READ_BYTES:
                size = 0
                await asyncio.sleep(0)
        return found

    def _read(self, record: Record) -> _Read | None:
        """None for what is not the view's."""
        try:
            event = read(record, self.topic_prefix)
        except FromNewer as error:
            return (
                _Read(record, None, "unknown_version", str(error))
                if error.kind in self.view.wanted
                else None
            )
        except Undecodable as error:
            return _Read(record, None, "undecodable", str(error))
        return _Read(record, event) if event.type in self.view.wanted else None

    async def _alone(self, tx: "AsyncConnection", one: _Read) -> _Read:
        """Fold one record; what failed is undone, the rest of the delivery is kept."""
        if one.event is None:
            return one
        try:
            async with tx.begin_nested():
                await self.view.apply(tx, self.generation, [one.event])
        except Exception as error:
            if self.passing(error):
                raise
            return one._replace(error_class="bug", error=f"{type(error).__name__}: {error}")
        return one
