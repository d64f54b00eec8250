"""One transaction of a consumer: positions, dedupe, effect, dead letters, events."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from consumers.dead_letters.dead_letter import DeadLetter
from consumers.dead_letters.parking import store as parking
from consumers.log.batch_decode import (
    Condemned,
    Message,
    condemned_letters,
    first_of_each,
    letter_of,
)
from consumers.log.circuit_breaker.state import CircuitBreaker
from consumers.log.inbox import store as inbox
from consumers.log.inbox.age import without_too_old
from consumers.log.outcome import Applied, Ignored, Rejected
from consumers.log.results import results_of
from consumers.ports import Handle, Outbox
from schemas.log import LogEntry, entry_of
from schemas.ports import Clock, Counted, Failpoint, PositionCheck, Positions, Transactions
from schemas.record import Record, Span

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchTransaction:
    """Commits the effect of records together with all that belongs to it, or nothing."""

    consumer: str
    handle: Handle
    begin: Transactions
    positions: Positions
    outbox: Outbox
    clock: Clock
    kept: timedelta
    failpoint: Failpoint
    counted: Counted
    fuse: CircuitBreaker

    async def __call__(
        self,
        records: Sequence[Record],
        spans: Sequence[Span],
        messages: Sequence[Message],
        unreadable: Sequence[DeadLetter],
        condemned: Condemned | None = None,
    ) -> bool:
        """Apply what was read of some records. True when the effect is there, False when the
        positions are elsewhere; raises otherwise, and then nothing moved.
        """
        messages, old = without_too_old(messages, self.consumer, self.clock.now() - self.kept)
        letters = [*unreadable, *old]
        async with self.begin() as tx:
            check = await self.positions.check(tx, spans)
            if check is not PositionCheck.HERE:
                return check is PositionCheck.PASSED
            fresh = await inbox.claim(tx, self.consumer, [one.event.id for one in messages])
            new = first_of_each([one for one in messages if one.event.id in fresh])
            tally = Counter({"duplicate": len(messages) - len(new)})
            entries: list[LogEntry] = []
            if condemned is not None:
                letters += condemned_letters(new, self.consumer, condemned)
            elif new:
                became = await self.handle(tx, [one.event for one in new])
                for message, outcome in zip(new, became, strict=True):
                    match outcome:
                        case Applied(events):
                            tally["applied"] += 1
                            entries += [entry_of(event) for event in events]
                        case Ignored(reason):
                            tally["ignored"] += 1
                            log.debug(
                                "%s: %s ignored: %s", self.consumer, message.event.type, reason
                            )
                        case Rejected(failure_class, reason):
                            letters.append(letter_of(message, self.consumer, failure_class, reason))
            parked = await parking.park(tx, letters)
            entries += [letter.copy(self.clock.now()) for letter in parked]
            results = results_of(records, new, letters)
            if self.fuse.is_due or not all(good for good, _ in results):
                await self.fuse.judge(tx, results)
            await self.positions.advance(tx, spans)
            await self.outbox(tx, entries)
            self.failpoint("runner.applied")
        self.failpoint("runner.committed")
        self.fuse.committed(results)
        tally["dead_letter"] = len(letters)
        self.counted(+tally, Counter(one.error_class for one in letters))
        for letter in parked:
            log.warning("%s", letter.summary, extra={"fields": letter.ids})
        return True
