"""Records of some topics, from where the subscriber's own positions say, one delivery at a time."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from itertools import chain
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from faststream.kafka import KafkaBroker
from faststream.message import StreamMessage
from faststream.middlewares import AckPolicy

from compose.kafka.subscription.alignment import Alignment
from compose.kafka.subscription.cursor import Cursor
from compose.kafka.subscription.ports import AlwaysOpen, Handle, PauseCheck, Positions, Timing
from compose.kafka.subscription.rebalance_listener import RebalanceListener
from compose.kafka.subscription.watchdog import Watchdog
from schemas.record import PartlyPaused

Polled = tuple[ConsumerRecord[Any, Any], ...]

logger = logging.getLogger(__name__)


async def _parse(polled: Polled) -> StreamMessage[Polled]:
    """Hand the poll through as it is: FastStream's own parser loses a batch with one header that
    is not UTF-8.
    """
    return StreamMessage(raw_message=polled, body=polled, correlation_id="-")


async def _decode(message: StreamMessage[Polled]) -> Polled:
    """Hand the poll through as it is."""
    return message.raw_message


class Subscription:
    """Give `handle` one delivery at a time.

    True: its effect is committed. Held: so it is, except for partitions that wait a while. Anything
    else seeks again: it pauses, keeps polling, so that the group never expels a member whose
    database is down, then reads the positions.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: Sequence[str],
        positions: Positions,
        handle: Handle,
        max_records: int = 500,
        timing: Timing = Timing(),  # noqa: B008  # frozen
        client_id: str = "headrace",
        gate: PauseCheck = AlwaysOpen(),  # noqa: B008  # it has no state
        rebalanced: Callable[[], object] = bool,  # called after each assignment
    ) -> None:
        self._handle = handle
        self._gate = gate
        self._rebalanced = rebalanced
        self._group = group
        self._timing = timing
        self._broker = KafkaBroker(
            bootstrap.split(","),
            client_id=client_id,
            consumer_only=True,  # no producer and no admin client: it only reads
            allow_auto_create_topics=False,
            graceful_timeout=0.5,  # __aexit__ has waited; a handler that still runs is cancelled: it rolls back
            metadata_max_age_ms=int(timing.metadata_seconds * 1000),
            logger=None,
            apply_types=False,
        )
        self._subscriber = self._broker.subscriber(
            *topics,
            group_id=group,
            batch=True,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="none",
            session_timeout_ms=int(timing.session_seconds * 1000),
            heartbeat_interval_ms=int(timing.heartbeat_seconds * 1000),
            max_poll_interval_ms=int(timing.max_handle_seconds * 1000),
            rebalance_timeout_ms=int(timing.rebalance_seconds * 1000),
            listener=RebalanceListener(self.revoked, self.assigned),
            parser=_parse,
            decoder=_decode,
            no_reply=True,
        )
        self._subscriber(self._receive)
        self._max_records = max_records
        self._subscriber.get_msg = self._poll  # type: ignore[method-assign]
        self._cursor = Cursor(self._consumer)
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = asyncio.Event()
        self._alignment = Alignment(bootstrap, self._cursor, positions, self._idle, gate, timing)
        self._watchdog = Watchdog(self._cursor, timing, self._alignment.ask, positions.marks)
        self._tasks: list[asyncio.Task[Any]] = []
        self._refusals = 0

    async def run(self) -> None:
        """Deliver until `stop()`, or until something that only a new process can repair; then
        leave.
        """
        async with self:
            await self.wait()

    async def wait(self) -> None:
        """Return at `stop()`; raise what ended the subscription."""
        done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    def stop(self) -> None:
        """End `run()` and `wait()` after the delivery that is being handled."""
        self._stopping.set()

    async def __aenter__(self) -> Self:
        for serve in (
            self._stopping.wait(),
            self._alignment.run(),
            self._watchdog.run(),
            self._mind_the_gate(),
        ):
            self._tasks.append(asyncio.create_task(serve))
        try:
            await self._broker.start()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._subscriber.consumer is not None:
            self._cursor.suspend()
        try:
            async with asyncio.timeout(self._timing.stop_seconds):
                await self._idle.wait()
        except TimeoutError:
            logger.warning("stopping without waiting any longer for the handler")
        await self._watchdog.commit(self._timing.heartbeat_seconds)
        await self._close()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._broker.stop()

    def assigned(self) -> None:
        """Nothing is delivered from the new partitions before their positions are known.

        Must not await.
        """
        self._cursor.suspend()
        self._alignment.ask()
        self._rebalanced()

    async def revoked(self) -> None:
        """Let the handler finish, so that the next owner reads positions that no longer move."""
        self._cursor.suspend()
        try:
            async with asyncio.timeout(self._timing.revoke_seconds):
                await self._idle.wait()
        except TimeoutError:
            logger.warning(
                "partitions are revoked while a handler runs; its positions will be refused"
            )
        await self._watchdog.commit(self._timing.heartbeat_seconds)

    async def _mind_the_gate(self) -> None:
        """Deliver nothing while it is closed; the alignment waits for it first."""
        while True:
            await self._gate.closed()
            logger.warning("%s is paused: nothing is delivered, the positions stay", self._group)
            if self._subscriber.consumer is not None:
                self._cursor.suspend()
                self._alignment.ask()
            await self._gate.opened()
            logger.warning("%s continues from its positions", self._group)

    def _hold(self, held: PartlyPaused) -> None:
        """Continue with the other partitions at once; these wait at their positions."""
        for hold in held.holds:
            partition = (hold.topic, hold.partition)
            self._cursor.hold(partition, hold.next)
            asyncio.get_running_loop().call_later(
                hold.seconds, self._cursor.release, partition, self._cursor.epoch
            )

    async def _poll(self, consumer: AIOKafkaConsumer) -> Polled:
        """In place of FastStream's own, which after a poll in vain sleeps as long again without
        listening.
        """
        wait_ms = int(self._timing.poll_seconds * 1000)
        return tuple(
            chain(
                *(
                    await consumer.getmany(timeout_ms=wait_ms, max_records=self._max_records)
                ).values()
            )
        )

    async def _receive(self, polled: Polled) -> None:
        """One poll, from FastStream, which would swallow what this raises."""
        self._idle.clear()
        self._watchdog.handling_since = time.monotonic()
        moved: bool | PartlyPaused = False
        wait_seconds = self._timing.backoff(self._refusals) if self._refusals else 0.0
        epoch = self._cursor.epoch
        try:
            delivery = self._cursor.take(polled)
            moved = delivery is None or await self._handle(delivery)
            if isinstance(moved, PartlyPaused) and self._cursor.epoch == epoch:
                self._hold(moved)
            if delivery is not None and (moved is True or (moved and self._cursor.epoch == epoch)):
                self._cursor.finished(delivery)
        except Exception as error:
            wait_seconds = self._timing.backoff(self._refusals + 1)
            logger.warning(
                "the handler failed; the same records again from the positions, in %.1f s: %r",
                wait_seconds,
                error,
                exc_info=None if self._refusals else error,
            )
        finally:
            if moved:
                self._refusals = 0
            else:  # seek every assigned partition again, more and more slowly
                self._refusals += 1
                self._cursor.suspend()
                self._alignment.ask(wait_seconds)
            self._watchdog.handling_since = None
            self._idle.set()

    def _consumer(self) -> AIOKafkaConsumer:
        consumer = self._subscriber.consumer
        if consumer is None:
            raise RuntimeError("the subscription is not started")
        return consumer
