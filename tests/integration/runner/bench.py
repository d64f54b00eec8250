"""A consumer's runner on the test's database, put together as the worker process does it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from compose.clock import Clock
from compose.failures import classify
from compose.postgres.positions import Positions
from compose.processes.worker import handler
from compose.settings import Settings
from consumers.log.outcome import Outcome
from consumers.log.runner import Runner
from consumers.ports import Handle
from consumers.registry import BY_NAME
from producers.outbox.append import append
from schemas.event import Event
from schemas.ports import Transactions
from schemas.record import PartlyPaused, PollBatch

Step = Callable[[AsyncConnection, Sequence[Event]], Awaitable[None]]

TABLES = (
    "datasets",
    "streams",
    "stream_rows",
    "stream_batches",
    "jobs",
    "work",
    "models",
    "model_versions",
    "usage_records",
    "events",
    "outbox",
    "dead_letters",
    "processed",
)


@dataclass(frozen=True)
class Persistent:
    """A runner, and what the subscription does with partitions that it holds: hand them in
    again, at once.
    """

    runner: Runner

    async def __call__(self, delivery: PollBatch) -> bool:
        """Until nothing is held any more."""
        became = await self.runner(delivery)
        while isinstance(became, PartlyPaused):
            at = {(hold.topic, hold.partition): hold.next for hold in became.holds}
            delivery = PollBatch(
                tuple(
                    one
                    for one in delivery.records
                    if one.offset >= at.get((one.topic, one.partition), 1 << 62)
                ),
                tuple(
                    replace(one, start=at[one.topic, one.partition])
                    for one in delivery.spans
                    if (one.topic, one.partition) in at
                ),
            )
            became = await self.runner(delivery)
        return became


@dataclass(frozen=True)
class Bench:
    """One database, and everything that is asked of it afterwards."""

    pipeline: AsyncEngine
    settings: Settings

    def handler(self, consumer: str) -> Handle:
        """The real one, with its real ports."""
        return handler(BY_NAME[consumer], self.settings, Clock())

    def runner(
        self,
        consumer: str,
        handle: Handle | None = None,
        begin: Transactions | None = None,
        bug_attempts: int = 3,
    ) -> Persistent:
        """As in the worker process; `handle` and `begin` may be the real ones with something
        around them.
        """
        known = BY_NAME[consumer]
        return Persistent(
            Runner(
                consumer,
                known.wanted,
                handle or self.handler(consumer),
                begin or self.pipeline.begin,
                Positions(self.pipeline, consumer),
                append,
                classify,
                Clock(),
                bug_attempts=bug_attempts,
                limits=known.breaker,
            )
        )

    async def ask(self, query: str, **given: Any) -> list[dict[str, Any]]:
        """Rows."""
        async with self.pipeline.begin() as tx:
            return [dict(row) for row in (await tx.execute(text(query), given)).mappings()]

    async def value(self, query: str, **given: Any) -> Any:
        """The first column of the first row."""
        async with self.pipeline.begin() as tx:
            return (await tx.execute(text(query), given)).scalar_one_or_none()

    async def counts(self) -> dict[str, int]:
        """Rows of every table that a consumer writes, empty ones left out."""
        found = {table: await self.value(f"SELECT count(*) FROM {table}") for table in TABLES}
        return {table: count for table, count in found.items() if count}

    async def effects(self) -> dict[str, int]:
        """The same without what only keeps book: dedupe and the outbox."""
        return {
            table: count
            for table, count in (await self.counts()).items()
            if table not in ("processed", "outbox")
        }

    async def said(self) -> list[str]:
        """Types of the events in the log, in its order, copies apart."""
        return [
            row["type"]
            for row in await self.ask("SELECT type FROM events WHERE NOT is_copy ORDER BY seq")
        ]

    async def next(self, consumer: str) -> dict[str, int]:
        """Where a consumer stands, by topic."""
        rows = await self.ask(
            "SELECT topic, next FROM positions WHERE consumer = :consumer", consumer=consumer
        )
        return {row["topic"]: row["next"] for row in rows}


def failing_after(real: Handle, error: Callable[[], BaseException]) -> Handle:
    """The handler, and then a crash, in its transaction and before its commit."""

    async def handle(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        await real(tx, events)
        raise error()

    return handle


def failing_on(real: Handle, guilty: Event, error: Callable[[], BaseException]) -> Handle:
    """The handler with a bug that one event brings out."""

    async def handle(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        if any(event.id == guilty.id for event in events):
            raise error()
        return await real(tx, events)

    return handle
