"""The one loop body that every consumer runs in: a delivery in, exactly one commit out."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from consumers.dead_letters.failure import failure_of
from consumers.errors import Permanent, Transient
from consumers.log.batch_decode import Condemned, decode_batch, sort_out_in_turns
from consumers.log.batch_transaction import BatchTransaction
from consumers.log.circuit_breaker.policy import BreakerLimits
from consumers.log.circuit_breaker.state import CircuitBreaker
from consumers.log.one_by_one import one_by_one
from consumers.log.parts import Part, held_with_the_rest, parts_of
from consumers.log.poison.guard import Guard, Verdict
from consumers.log.poison.store import Subscriber
from consumers.ports import Classify, Handle, Outbox
from schemas.errors import Tripped
from schemas.ports import (
    Clock,
    Counted,
    Failpoint,
    PositionCheck,
    Positions,
    Transactions,
    no_failpoint,
    uncounted,
)
from schemas.record import PartlyPaused, PollBatch, Record, Span

log = logging.getLogger(__name__)
RESUME = "its positions stay; once the cause is fixed: headrace consumers resume"


@dataclass(frozen=True)
class Runner:
    """Runs one consumer's handler.

    Per delivery one transaction: positions, dedupe, effect, dead letters, events. The world unwell:
    it raises, and the same delivery is handed in again. A message unwell: it alone becomes a dead
    letter. A bug: its partition waits and the others go on, `bug_attempts` times, then a dead
    letter. Too many of these: the breaker, and nothing moves.
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
    bug_seconds: float = (
        0.4  # before the second attempt; four times as long before each further one
    )
    limits: BreakerLimits = field(default_factory=BreakerLimits)
    jitter: Callable[[], float] = field(default=random.random)
    kept: timedelta = timedelta(days=35)
    failpoint: Failpoint = no_failpoint
    counted: Counted = uncounted
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One for all runners of a process: what may kill it is in hand alone, so no other is
    blamed.
    """
    _fuse: CircuitBreaker = field(init=False)
    _guard: Guard = field(init=False)
    _commit: BatchTransaction = field(init=False)
    _attempts: dict[tuple[str, int], tuple[int, int]] = field(init=False, default_factory=dict)
    """Per partition that waits: the offset of the guilty record, and how often it was tried."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_fuse", CircuitBreaker(self.consumer, self.limits))
        object.__setattr__(self, "_guard", Guard(Subscriber(self.consumer), self.begin, self.alone))
        commit = BatchTransaction(
            consumer=self.consumer,
            handle=self.handle,
            begin=self.begin,
            positions=self.positions,
            outbox=self.outbox,
            clock=self.clock,
            kept=self.kept,
            failpoint=self.failpoint,
            counted=self.counted,
            fuse=self._fuse,
        )
        object.__setattr__(self, "_commit", commit)

    async def __call__(self, delivery: PollBatch) -> bool | PartlyPaused:
        """Apply a delivery. True when its effect is committed, Held when that of some partitions
        must wait.

        False when the positions are elsewhere, or must not move any more (the breaker): seek again.
        Raises what is transient: nothing moved, or only some of the records did and the rest will
        be refused.
        """
        try:
            if await self._guard.concerns(delivery.spans):
                return await self._guarded(delivery)
            return await self._deliver(delivery)
        except Tripped as tripped:
            async with self.begin() as tx:
                first = await self._fuse.blow(tx, tripped)
            if first:
                log.error("%s: paused by its breaker: %s; %s", self.consumer, tripped, RESUME)
            return False

    async def _guarded(self, delivery: PollBatch) -> bool | PartlyPaused:
        """One by one, each counted before: somewhere here a process ended, or an operator wants
        a record parked.
        """
        async with self.begin() as tx:
            check = await self.positions.check(tx, delivery.spans)
            await tx.rollback()  # the rows that it makes come with an effect
        if check is not PositionCheck.HERE:
            return check is PositionCheck.PASSED
        became = await one_by_one(delivery.records, delivery.spans, self._in_hand)
        if became is True:
            await self._guard.passed(delivery.spans)
        return became

    async def _in_hand(self, record: Record, span: Span) -> bool | float:
        async def park(verdict: Verdict) -> bool:
            return await self._give_up(record, span, Condemned("internal", *verdict))

        return await self._guard.handle(record, lambda: self._alone(record, span), park)

    async def _deliver(self, delivery: PollBatch) -> bool | PartlyPaused:
        """In one transaction, or where it is heavy in several: each has an end, in memory and in
        time.
        """
        try:
            decoded = await sort_out_in_turns(
                delivery.records, self.consumer, self.wanted, self.topic_prefix
            )
        except Exception as error:
            if self._kind(error) is Transient:
                raise
            log.warning("%s: a batch could not be read (%r); one by one", self.consumer, error)
            return await one_by_one(delivery.records, delivery.spans, self._alone)
        parts = parts_of(delivery, *decoded)
        for place, part in enumerate(parts):
            became = await self._apply(part)
            if isinstance(became, PartlyPaused):
                return held_with_the_rest(became, delivery, parts[: place + 1])
            if not became:
                return False
        return True

    async def _apply(self, part: Part) -> bool | PartlyPaused:
        """As one.

        On an error that is not the world's, one by one, so that the guilty message is known.
        """
        records, spans = part.records, part.spans
        if not self._attempts or not any(self._tried(record) for record in records):
            try:
                return await self._commit(records, spans, part.messages, part.letters)
            except Tripped:
                raise
            except Exception as error:
                if self._kind(error) is Transient:
                    raise
                log.warning(
                    "%s: a batch of %d failed (%r); one by one", self.consumer, len(records), error
                )
        return await one_by_one(records, spans, self._alone)

    async def _alone(self, record: Record, span: Span) -> bool | float:
        """One record: as `_commit`, or the seconds until the next attempt of its partition."""
        attempts = self._tried(record) + 1
        place = (record.topic, record.partition)
        try:
            found = decode_batch([record], self.consumer, self.wanted, self.topic_prefix)
            stands = await self._commit([record], [span], *found)
        except Tripped:
            raise
        except Exception as error:
            kind = self._kind(error)
            if kind is Transient:
                raise
            if (
                kind is not Permanent
                and attempts < self.bug_attempts
                and not self._fails_alone(record)
            ):
                log.warning(
                    "%s: attempt %d failed: %r", self.consumer, attempts, error, exc_info=error
                )
                self._attempts[place] = (record.offset, attempts)
                return self.bug_seconds * 4.0 ** (attempts - 1) * (0.5 + self.jitter())
            stands = await self._condemn(record, span, error, attempts)
        self._attempts.pop(place, None)
        return stands

    async def _condemn(self, record: Record, span: Span, error: Exception, attempts: int) -> bool:
        """A record is given up."""
        log.error("%s: dead letter after %d attempts: %r", self.consumer, attempts, error)
        found = failure_of(error, permanent=self._kind(error) is Permanent)
        condemned = Condemned(found.error_class, found.error, attempts, stack=found.stack)
        return await self._give_up(record, span, condemned)

    async def _give_up(self, record: Record, span: Span, condemned: Condemned) -> bool:
        try:
            found = decode_batch([record], self.consumer, self.wanted, self.topic_prefix, condemned)
        except Exception:  # noqa: BLE001 - why it is given up may be that it cannot be read
            condemned = condemned._replace(unread=True)
            found = decode_batch([record], self.consumer, self.wanted, self.topic_prefix, condemned)
        return await self._commit([record], [span], *found, condemned)

    def _fails_alone(self, record: Record) -> bool:
        """Whether its tenant alone has used up what counts: its partition does not wait for it
        any more.
        """
        said = dict(record.headers).get("ce_tenantid", b"").decode("latin-1").replace("-", "")
        return any(one.hex == said for one in self._fuse.alone)

    def _tried(self, record: Record) -> int:
        offset, attempts = self._attempts.get((record.topic, record.partition), (-1, 0))
        return attempts if offset == record.offset else 0

    def _kind(self, error: Exception) -> type[Exception] | None:
        return type(error) if isinstance(error, Transient | Permanent) else self.classify(error)
