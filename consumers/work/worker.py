"""Claims work items of one queue, runs each in a child, and finishes with the fencing token."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from consumers.errors import Transient
from consumers.ports import Classify, Outbox
from consumers.work import store
from consumers.work.attempt import run_task, set_after
from consumers.work.child_result import (
    Broken,
    Canceled,
    ChildResult,
    Crashed,
    Finished,
    LimitExceeded,
    Progress,
    TenantRefused,
)
from consumers.work.delivery import delivered
from consumers.work.hooks import Ended, Leased, at_once, forgotten, unheard
from consumers.work.store import LeaseLost
from consumers.work.subprocess_runner import working_directory
from consumers.work.task import Task
from consumers.work.transaction_retry import retried
from consumers.work.work_item import WorkItem
from schemas.event import Event
from schemas.log import EventTooLarge, entry_of
from schemas.ports import Clock, Failpoint, Transactions, no_failpoint

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)
T = TypeVar("T")

BEAT_SECONDS = 1.0  # at the longest: with a heartbeat comes the word to stop
RETRY_SECONDS = 2.0
AWAY_SECONDS = 60.0  # after a full disk or a store that is away, which a few seconds do not repair


@dataclass(frozen=True)
class Worker:
    """Runs one kind of task in `slots` children at once; `lease_seconds` is how long a lost one
    stays taken.

    Of one tenant `most_of_tenant` run at once, over all workers of the queue. While `ready` raises
    what is transient, no_failpoint is claimed: no attempt is used on a store that is away. `ended`
    follows each commit that ends a work item.
    """

    task: Task
    begin: Transactions
    outbox: Outbox
    classify: Classify
    clock: Clock
    lease_seconds: float
    slots: int = 1
    most_of_tenant: int | None = None
    poll_seconds: float = 0.2
    scratch: Path | None = None
    failpoint: Failpoint = no_failpoint
    leased: Leased = unheard
    ready: Callable[[], Awaitable[None]] = at_once
    ended: Ended = forgotten

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping`; items in hand are then released, their children ended."""
        await asyncio.gather(*(self._slot(stopping) for _ in range(self.slots)))

    async def _slot(self, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            item = await self._well(self._claim) if await self._can_begin() else None
            if item is None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(
                        stopping.wait(),
                        self.poll_seconds * (0.75 + random.random() / 2),  # noqa: S311
                    )
                continue
            if item.taken_over:
                self.leased(item.queue, "taken_over")
            try:
                await self._attempt(item, stopping)
            except LeaseLost as error:
                log.warning("lease lost, the result is thrown away: %s", error)
                self.leased(item.queue, "lost")
            except Exception:
                # A bug in the task's own code: the lease runs out and the attempts are counted.
                log.exception("attempt %d of %s %s broke", item.attempt, item.queue, item.subject)

    async def _can_begin(self) -> bool:
        try:
            await self.ready()
        except Exception as error:
            if not self._is_transient(error):
                raise
            return False
        return True

    async def _claim(self, tx: "AsyncConnection") -> WorkItem | None:
        return await store.claim(tx, self.task.queue, self.lease_seconds, self.most_of_tenant)

    async def _attempt(self, item: WorkItem, stopping: asyncio.Event) -> None:
        if item.exhausted:
            lost = "worker_lost", "every attempt lost its worker"
            await self.ended(item, await self._well(lambda tx: self._give_up(tx, item, *lost)))
            return
        if not await self._well(lambda tx: self._start(tx, item)):
            return
        self.failpoint("work.started")
        log.info("attempt %d of %s %s", item.attempt, item.queue, item.subject)
        cancelled = asyncio.Event()
        beating = asyncio.create_task(self._beat(item, cancelled))
        ending = asyncio.create_task(set_after(stopping, cancelled))
        try:
            with working_directory(self.scratch) as directory:
                result = await self._child(item, directory, cancelled)
                if beating.done() and beating.exception() is not None:
                    raise LeaseLost(str(item.subject))
                if isinstance(result, Finished):
                    act = partial(self.task.deliver, item, directory, result)
                    result = await delivered(act, result, self._is_transient, cancelled)
            returned = isinstance(result, Canceled) and stopping.is_set()
            await self._end(item, result, returned=returned)
            self.failpoint("work.finished")
        finally:
            for task in (beating, ending):
                task.cancel()
            await asyncio.gather(beating, ending, return_exceptions=True)

    async def _end(self, item: WorkItem, result: ChildResult, *, returned: bool) -> None:
        """Finish.

        What does not fit into an event is the data's fault, and no further attempt changes that.
        """
        try:
            events = await self._well(lambda tx: self._finish(tx, item, result, returned=returned))
        except EventTooLarge as error:
            refused = TenantRefused(
                "user_data", "result_too_large", f"its result is too large: {error}"
            )
            events = await self._well(lambda tx: self._finish(tx, item, refused, returned=False))
        await self.ended(item, events)

    async def _child(
        self, item: WorkItem, directory: Path, cancelled: asyncio.Event
    ) -> ChildResult:
        async def progressed(progress: Progress) -> None:
            with suppress(LeaseLost):
                await self._well(lambda tx: self._progress(tx, item, progress))

        return await run_task(self.task, item, directory, progressed, cancelled, self._is_transient)

    async def _beat(self, item: WorkItem, cancelled: asyncio.Event) -> None:
        """Extend the lease until cancelled.

        A lost lease or a request to stop ends the child.
        """
        try:
            while True:
                await asyncio.sleep(min(self.lease_seconds / 3, BEAT_SECONDS))
                reason = await self._well(lambda tx: store.heartbeat(tx, item, self.lease_seconds))
                if reason is not None:
                    cancelled.set()
        except LeaseLost:
            cancelled.set()
            raise

    async def _start(self, tx: "AsyncConnection", item: WorkItem) -> bool:
        begins, events = await self.task.start(tx, item, self.clock.now())
        await store.fence(tx, item)
        if not begins:
            await store.done(tx, item)
        await self._say(tx, events)
        return begins

    async def _progress(self, tx: "AsyncConnection", item: WorkItem, progress: Progress) -> None:
        events = await self.task.progress(tx, item, progress, self.clock.now())
        await store.fence(tx, item)
        await self._say(tx, events)

    async def _finish(
        self, tx: "AsyncConnection", item: WorkItem, result: ChildResult, *, returned: bool
    ) -> Sequence[Event]:
        now = self.clock.now()
        match result:
            case Canceled() if returned:
                await store.fence(tx, item)
                await store.return_unused(tx, item)
            case Crashed(message, code) if not item.last_attempt:
                log.warning(
                    "attempt %d of %s %s crashed: %s",
                    item.attempt,
                    item.queue,
                    item.subject,
                    message,
                )
                await store.fence(tx, item)
                first = AWAY_SECONDS if code == "object_store_away" else RETRY_SECONDS
                pause = first * 2 ** (item.attempt - 1)
                await store.release(tx, item, now + timedelta(seconds=pause))
            case Crashed(message, code):
                return await self._give_up(tx, item, code, message)
            case Finished() | TenantRefused() | LimitExceeded() | Broken() | Canceled():
                if isinstance(result, Broken):
                    log.error(
                        "%s %s broke: %s\n%s",
                        item.queue,
                        item.subject,
                        result.message,
                        result.traceback,
                    )
                events = await self.task.finish(tx, item, result, now)
                await store.fence(tx, item)
                await store.done(tx, item)
                await self._say(tx, events)
                self.failpoint("work.finishing")
                return events
        return ()

    async def _give_up(
        self, tx: "AsyncConnection", item: WorkItem, code: str, message: str
    ) -> Sequence[Event]:
        events = await self.task.give_up(tx, item, code, message, self.clock.now())
        await store.fence(tx, item)
        await store.done(tx, item)
        await self._say(tx, events)
        return events

    def _is_transient(self, error: BaseException) -> bool:
        return isinstance(error, Transient) or self.classify(error) is Transient

    async def _say(self, tx: "AsyncConnection", events: Sequence[Event]) -> None:
        await self.outbox(tx, [entry_of(event) for event in events])

    async def _well(self, act: Callable[["AsyncConnection"], Awaitable[T]]) -> T:
        return await retried(self.begin, act, self._is_transient)
