"""The one loop body that every consumer runs in: a delivery in, exactly one commit out."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from consumers.dead_letters import store as dead_letters
from consumers.dead_letters.failure import failure_of
from consumers.dead_letters.letter import DeadLetter
from consumers.errors import Permanent, Transient
from consumers.inbox import store as inbox
from consumers.outcome import Applied, Ignored, Rejected
from consumers.ports import Classify, Clock, Handle, Outbox, Positions, Reached, Sleep, Standing, Transactions, nothing
from consumers.sorting import Message, letter_of, sort_out
from schemas.log import LogEntry, entry_of
from schemas.record import Delivery, Record, Span

log = logging.getLogger(__name__)


class Condemned(NamedTuple):
    """Why a record is given up: the class, the reason, how often it was tried, and a bug's stack."""

    error_class: str
    error: str
    attempts: int
    stack: str | None


@dataclass(frozen=True)
class Runner:
    """Runs one consumer's handler.

    Per delivery one transaction: positions, dedupe, effect, dead letters, events. The world unwell: it raises, and the
    same delivery is handed in again. A message unwell: it alone becomes a dead letter. A bug: `bug_attempts`, then a
    dead letter.
    """

    consumer: str
    wanted: frozenset[str]
    handle: Handle
    begin: Transactions
    positions: Positions
    outbox: Outbox
    classify: Classify
    clock: Clock
    topic_prefix: str = ""
    bug_attempts: int = 3
    sleep: Sleep = asyncio.sleep
    jitter: Callable[[], float] = field(default=random.random)
    reached: Reached = nothing

    async def __call__(self, delivery: Delivery) -> bool:
        """Apply a delivery; True when its effect stands, False when the positions are elsewhere (seek again).

        Raises what is transient: nothing moved, or only some of the records did and the rest will be refused.
        """
        return await self._apply(delivery.records, delivery.spans)

    async def _apply(self, records: Sequence[Record], spans: Sequence[Span]) -> bool:
        """As one; on an error that is not the world's, one by one, so that the guilty message is known."""
        try:
            return await self._once(records, spans)
        except Exception as error:
            if self._kind(error) is Transient:
                raise
            if len(records) == 1:
                return await self._condemn(records, spans, error)
            log.warning("%s: a batch of %d failed (%r); one by one", self.consumer, len(records), error)
        return await self._one_by_one(records, spans)

    async def _one_by_one(self, records: Sequence[Record], spans: Sequence[Span]) -> bool:
        for span in spans:
            start = span.start
            own = [one for one in records if (one.topic, one.partition) == (span.topic, span.partition)]
            for place, record in enumerate(own):
                end = span.next if place == len(own) - 1 else record.offset + 1
                if not await self._apply([record], [Span(span.topic, span.partition, start, end)]):
                    return False
                start = end
        return True

    async def _condemn(self, records: Sequence[Record], spans: Sequence[Span], error: Exception) -> bool:
        """A single record failed: permanent at once, a bug after some attempts."""
        attempts = 1
        while self._kind(error) is not Permanent and attempts < self.bug_attempts:
            log.warning("%s: attempt %d failed: %r", self.consumer, attempts, error, exc_info=error)
            await self.sleep(0.2 * 2**attempts * (0.5 + self.jitter()))
            attempts += 1
            try:
                return await self._once(records, spans)
            except Exception as again:
                if self._kind(again) is Transient:
                    raise
                error = again
        log.error("%s: dead letter after %d attempts: %r", self.consumer, attempts, error)
        found = failure_of(error, permanent=self._kind(error) is Permanent)
        return await self._once(records, spans, Condemned(found.error_class, found.error, attempts, found.stack))

    async def _once(self, records: Sequence[Record], spans: Sequence[Span], condemned: Condemned | None = None) -> bool:
        messages, letters = sort_out(records, self.consumer, self.wanted, self.topic_prefix)
        async with self.begin() as tx:
            standing = await self.positions.standing(tx, spans)
            if standing is not Standing.HERE:
                return standing is Standing.PASSED
            fresh = await inbox.claim(tx, self.consumer, [one.event.id for one in messages])
            new = _first_of_each([one for one in messages if one.event.id in fresh])
            entries: list[LogEntry] = []
            if condemned is not None:
                letters += [letter_of(one, self.consumer, *condemned) for one in new]
            elif new:
                outcomes = await self.handle(tx, [one.event for one in new])
                for message, outcome in zip(new, outcomes, strict=True):
                    match outcome:
                        case Applied(events):
                            entries += [entry_of(event) for event in events]
                        case Ignored(reason):
                            log.debug("%s: %s ignored: %s", self.consumer, message.event.type, reason)
                        case Rejected(failure_class, reason):
                            letters.append(letter_of(message, self.consumer, failure_class, reason))
            entries += await self._park(tx, letters)
            await self.positions.advance(tx, spans)
            await self.outbox(tx, entries)
            self.reached("runner.applied")
        self.reached("runner.committed")
        return True

    async def _park(self, tx: object, letters: Sequence[DeadLetter]) -> list[LogEntry]:
        parked = await dead_letters.park(tx, letters)  # type: ignore[arg-type]
        now = self.clock.now()
        return [letter.copy(now) for letter in parked]

    def _kind(self, error: Exception) -> type[Exception] | None:
        return type(error) if isinstance(error, Transient | Permanent) else self.classify(error)


def _first_of_each(messages: Sequence[Message]) -> list[Message]:
    """The relay's copies can stand in one poll: the first counts."""
    seen: dict[UUID, Message] = {}
    for one in messages:
        seen.setdefault(one.event.id, one)
    return list(seen.values())
