"""The replay worker: claims a consumer's pending items, each in one transaction, through the
consumer's own handler.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumers.dead_letters.failure import HandlingFailure, failure_of
from consumers.dead_letters.parking import store as parking
from consumers.errors import Permanent, Transient
from consumers.log.inbox import store as inbox
from consumers.log.outcome import Ignored
from consumers.log.poison.guard import Guard
from consumers.log.poison.store import Subscriber
from consumers.ports import Classify, Handle, Outbox
from consumers.replays.ports import Known, Published, Settled, untold
from consumers.replays.worker import store
from consumers.replays.worker.decide import Found, Verdict, after, before, failed, of_twin
from consumers.replays.worker.store import ReplayItem, ReplayTurn
from schemas.decode import read_whole
from schemas.event import Event
from schemas.event_decode import FromNewer, Undecodable
from schemas.log import entry_of
from schemas.ports import Transactions
from schemas.record import Record

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)
SHORTEST_PAUSE_SECONDS = 0.01


class _Undone(Exception):
    """Raised to roll back to where the attempt began; the verdict is kept."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.detail)
        self.verdict = verdict


@dataclass(frozen=True)
class ReplayWorker:
    """The replay worker of one consumer.

    Lock order: the item, what says that the event was consumed, the dead letter, then whatever the
    handler locks. So all replays of one event run one after the other, and the effect, the item and
    the dead letter commit together.
    """

    consumer: str
    wanted: frozenset[str]
    handle: Handle
    begin: Transactions
    outbox: Outbox
    classify: Classify
    published: Published
    known: Known
    topic_prefix: str = ""
    settled: Settled = untold
    poll_seconds: float = 0.5
    _guard: Guard = field(init=False)

    def __post_init__(self) -> None:
        # A lock of its own: this one is asked for under row locks, which whoever holds the runners'
        # may wait for.
        guard = Guard(Subscriber(f"{self.consumer}.replays"), self.begin, asyncio.Lock())
        object.__setattr__(self, "_guard", guard)

    async def run(self, stopping: asyncio.Event) -> None:
        """Take turns until `stopping`; whatever happens here leaves the subscription alone."""
        while not stopping.is_set():
            try:
                pause = await self.round()
            except Exception as error:
                pause = self.poll_seconds * 4
                if self._kind(error) is Transient:
                    log.warning("%s: replay, again in %.1f s: %s", self.consumer, pause, error)
                else:
                    log.exception("%s: replay broke, again in %.1f s", self.consumer, pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)

    async def round(self) -> float:
        """One turn of one replay; how many seconds to wait before the next."""
        async with self.begin() as tx:
            await store.finish(tx)
            turn = await store.turn(tx, self.consumer)
            due = None if turn else await store.next_due(tx, self.consumer)
        if turn is None:
            return (
                self.poll_seconds
                if due is None
                else max(SHORTEST_PAUSE_SECONDS, min(self.poll_seconds, due))
            )
        for settled in range(turn.share):
            if not await self._next(turn):
                return 0.0 if settled else self.poll_seconds  # another process has them in hand
        return 0.0

    async def _next(self, turn: ReplayTurn) -> bool:
        """Settle one item; False when there is none to be had."""
        item = None
        try:
            async with self.begin() as tx:
                item = await store.take(tx, turn, self.consumer)
                if item is None:
                    return False
                verdict = await self._settle(tx, item)
            self.settled(verdict.state)
        except Exception as error:
            if item is None:
                raise
            log.warning(
                "%s: replay %s, item %d waits: %r", self.consumer, item.replay, item.place, error
            )
            async with self.begin() as tx:
                await store.postpone(tx, item, f"{type(error).__name__}: {error}")
        return True

    async def _settle(self, tx: "AsyncConnection", item: ReplayItem) -> Verdict:
        consumed = item.event_id is not None and await inbox.hold(tx, self.consumer, item.event_id)
        if item.of_request:
            letter = (
                await parking.lock_of_event(tx, self.consumer, item.event_id)
                if item.event_id
                else None
            )
        else:
            letter = await parking.lock(tx, item.tenant, item.subject)
        found = Found(item.of_request, consumed, letter and letter.id, letter and letter.state)
        verdict = before(found) or await self._attempt(tx, item, letter)
        await store.settle(tx, item, verdict)
        if letter is not None:
            await parking.put(tx, letter, verdict.letter_state, verdict.failure)
        return verdict

    async def _attempt(
        self, tx: "AsyncConnection", item: ReplayItem, letter: parking.Locked | None
    ) -> Verdict:
        """Read and handle it, counted before: what kills this process fails when it has done so
        three times.
        """
        record = await self._record(tx, item, letter)
        if record is None:
            return failed(HandlingFailure("internal", "the log no longer has this event"))
        deadly = await self._guard.count(record)
        try:
            if deadly is not None:
                return failed(HandlingFailure("internal", deadly.error))
            return await self._read_and_handle(tx, item, letter, record)
        finally:
            await self._guard.drop(record)

    async def _read_and_handle(
        self, tx: "AsyncConnection", item: ReplayItem, letter: parking.Locked | None, record: Record
    ) -> Verdict:
        """What failed is undone, and the locks stay, so that the failure is noted under them."""
        try:
            event = read_whole(record, self.topic_prefix)  # as the subscription does
        except FromNewer as error:
            return failed(HandlingFailure("unknown_version", str(error)))
        except Undecodable as error:
            return failed(HandlingFailure("undecodable", str(error)))
        try:
            async with tx.begin_nested():
                verdict = await self._handle(tx, item, event, failed_before=letter is not None)
                if verdict.failure is not None:
                    raise _Undone(verdict)
                await self.outbox(tx, [entry_of(one) for one in verdict.events])
        except _Undone as undone:
            return undone.verdict
        except Exception as error:
            kind = self._kind(error)
            if kind is Transient:
                raise
            log.warning(
                "%s: replay %s, item %d failed: %r", self.consumer, item.replay, item.place, error
            )
            return failed(failure_of(error, permanent=kind is Permanent))
        return verdict

    async def _record(
        self, tx: "AsyncConnection", item: ReplayItem, letter: parking.Locked | None
    ) -> Record | None:
        if not item.of_request:
            return letter and letter.record
        return await self.published(tx, item.tenant, item.event_id) if item.event_id else None

    async def _handle(
        self, tx: "AsyncConnection", item: ReplayItem, event: Event, *, failed_before: bool
    ) -> Verdict:
        if event.type not in self.wanted:
            return after(Ignored(f"{event.type} is not for {self.consumer}"))
        if (
            event.id not in await inbox.claim(tx, self.consumer, [event.id])
            and event.id != item.event_id
        ):
            twin = await parking.lock_of_event(tx, self.consumer, event.id)
            return of_twin(twin and (twin.id, twin.state))
        if await self.known(tx, event, failed_before):
            return Verdict("already_applied", "what it brings about is there")
        (outcome,) = await self.handle(tx, [event])
        return after(outcome)

    def _kind(self, error: Exception) -> type[Exception] | None:
        return type(error) if isinstance(error, Transient | Permanent) else self.classify(error)
