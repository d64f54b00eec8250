"""The sweeper process: what is old goes, what is coming is prepared.

One at work, the others waiting.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from compose.consumer_groups import READERS
from compose.failures import is_transient
from compose.postgres.connections import connect, engine
from compose.processes.shutdown import until_stopped
from compose.retention.duties import duties
from compose.retention.duty import Duty, Swept, carry_out, rehearse
from compose.settings import Settings
from compose.storage.metered import open_metered
from compose.telemetry import recorders
from compose.telemetry.gauges import Stored
from compose.telemetry.meters import meters
from producers.outbox.ranges import Ranges
from producers.outbox.relay import acquire_leadership, elected
from producers.webhooks.retention.days import Days

log = logging.getLogger(__name__)

LOCK = "sweeper"
LONG_SECONDS = 120.0
VALIDATE_SECONDS = 900.0  # a range of the log is looked at beside those who write


class AtWork(Exception):
    """Raised when another sweeper is the leader."""


@dataclass(frozen=True)
class Sweeper:
    """One sweeper with its duties; `leadership` is the connection that its lock lives on."""

    leadership: asyncpg.Connection
    duties: Sequence[Duty]
    days: Sequence[Days | Ranges]
    stored: Stored

    async def round(self, stop: asyncio.Event) -> list[Swept]:
        """Prepare the coming partitions, then every duty. Raises when the leadership is lost."""
        now = await self.now()
        for one in self.days:
            try:
                await one.prepare(now.date())
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning(
                    "%s: a partition ahead was not made, the next round tries again: %s",
                    one.table,
                    error,
                )
        swept = await carry_out(self.duties, now, stop)
        gone = [f"{one.name} {one.rows}" for one in swept if one.rows]
        log.log(
            logging.INFO if gone else logging.DEBUG,
            "swept: %s",
            ", ".join(gone) or "nothing is old",
        )
        return swept

    async def now(self) -> datetime:
        """The database's time, read on the connection that has the lock: after the leadership is
        lost no round may begin.
        """
        found: datetime = await self.leadership.fetchval("SELECT headrace_clock()")
        return found.astimezone(UTC)


@asynccontextmanager
async def sweeper(settings: Settings) -> AsyncIterator[Sweeper]:
    """One sweeper, not elected yet."""
    url = settings.postgres_url.get_secret_value()
    leadership = await connect(
        url, "headrace_pipeline", "sweeper office", settings.statement_seconds
    )
    owner = engine(
        url, "headrace_owner", "sweeper partitions", pool_size=2, statement_seconds=VALIDATE_SECONDS
    )
    pipeline = engine(
        url, "headrace_pipeline", "sweeper", pool_size=3, statement_seconds=LONG_SECONDS
    )
    try:
        objects = await open_metered(settings, pipeline.begin, 0)
        found, days = duties(settings, owner.begin, pipeline.begin, objects)
        reads = {one.name: one.topics for one in READERS.values()}
        stored = Stored(pipeline, settings.kafka, settings.kafka_topic_prefix, reads, meters())
        yield Sweeper(leadership, found, days, stored)
    finally:
        await owner.dispose()
        await pipeline.dispose()
        await leadership.close(timeout=5)


@asynccontextmanager
async def watching(stored: Stored) -> AsyncIterator[None]:
    """Show what the database knows meanwhile; that it cannot be shown ends nothing else."""
    task = asyncio.create_task(stored.watch())
    try:
        yield
    finally:
        task.cancel()
        for error in await asyncio.gather(task, return_exceptions=True):
            if isinstance(error, Exception):
                log.error("metrics of the database have stopped: %r", error)


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Sweep, round after round, until stopped."""

    async def term() -> None:
        async with sweeper(settings) as one:
            await acquire_leadership(one.leadership, stop, LOCK)
            if not stop.is_set():
                recorders.elected(LOCK)
            async with watching(one.stored):
                while not stop.is_set():
                    await one.round(stop)
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), settings.sweep_seconds)

    await until_stopped(stop, term)


async def once(settings: Settings, *, dry_run: bool) -> list[Swept]:
    """One round, or what it would remove; raises AtWork when another sweeper is elected."""
    async with sweeper(settings) as one:
        if dry_run:
            return await rehearse(one.duties, await one.now())
        if not await elected(one.leadership, LOCK):
            raise AtWork
        return await one.round(asyncio.Event())
