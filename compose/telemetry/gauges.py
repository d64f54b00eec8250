"""What the database knows, shown by one process: the elected sweeper."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from compose.failures import is_transient
from compose.telemetry import catalogue as of
from compose.telemetry import lag
from compose.telemetry.catalogue import Metric
from compose.telemetry.meters import Meters

log = logging.getLogger(__name__)

OUTBOX = text("""
    SELECT count(*) AS records, coalesce(sum(size_bytes), 0)::float8 AS bytes
    FROM (SELECT size_bytes FROM outbox UNION ALL SELECT size_bytes FROM outbox_held) AS unsent
""")
OLDEST_UNSENT = text("""
    SELECT coalesce((SELECT extract(epoch FROM headrace_clock() - e.time)::float8
                     FROM (SELECT least((SELECT min(seq) FROM outbox), (SELECT min(seq)
                         FROM outbox_held)) AS seq) o
                     JOIN events e USING (seq)), 0)
""")
LETTERS = text("""
    SELECT consumer, error_class, count(*) AS letters,
           extract(epoch FROM headrace_clock() - min(created_at))::float8 AS age
    FROM dead_letters WHERE state IN ('parked', 'replaying') GROUP BY consumer, error_class
""")
WORK = text("""
    SELECT queue, state, count(*) AS work_items,
           greatest(0, extract(epoch FROM headrace_clock() - min(ready_at)))::float8 AS age
    FROM work WHERE state <> 'done' GROUP BY queue, state
""")
PROGRESS = text("""
    SELECT consumer, extract(epoch FROM headrace_clock() - max(updated_at))::float8 AS age
    FROM positions p LEFT JOIN projection_heads h ON p.consumer = 'projection.' || h.view
    WHERE p.generation = coalesce(h.live, 0) GROUP BY consumer
""")
REPLAYS = text("SELECT count(*) FROM replays WHERE state = 'running'")
REPLAYS_WAITING = text(
    "SELECT consumer, count(*) AS messages FROM replay_items WHERE state = 'pending' GROUP BY "
    "consumer"
)
PAUSED = text("SELECT consumer FROM consumer_breakers WHERE state = 'paused'")
HELD = text("""
    SELECT topic, (held_since IS NOT NULL)::int AS held, (stopped_since IS NOT NULL)::int AS stopped
        FROM topic_layouts
""")
REFUSED = text("SELECT count(*) FROM outbox_held WHERE refused_why IS NOT NULL")

STORED: tuple[Metric, ...] = (
    of.OUTBOX_RECORDS,
    of.OUTBOX_BYTES,
    of.OUTBOX_AGE,
    of.LETTERS,
    of.LETTERS_AGE,
    of.WORK,
    of.WORK_AGE,
    of.PROGRESS,
    of.PAUSED,
    of.REPLAYS,
    of.REPLAYS_WAITING,
    of.HELD,
    of.STOPPED,
    of.REFUSED,
)
LAGGING: tuple[Metric, ...] = (of.LAG, of.TENANT_LAG, of.OLDEST)
Figures = Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class Stored:
    """Looks every `every_seconds`, less often where looking is slow.

    What could not be read is not shown.
    """

    pipeline: AsyncEngine
    kafka: str
    prefix: str
    reads: Mapping[str, Sequence[str]]
    meters: Meters
    every_seconds: float = 10.0

    async def watch(self) -> None:
        """Look again and again, until cancelled.

        Then nothing is shown, since another may be elected.
        """
        loop = asyncio.get_running_loop()
        try:
            while True:
                began = loop.time()
                await self.look()
                await asyncio.sleep(max(self.every_seconds, 5 * (loop.time() - began)))
        finally:
            self._show({one: {} for one in (*STORED, *LAGGING)})

    async def look(self) -> None:
        """Show how it is now."""
        try:
            async with self.pipeline.begin() as tx:
                self._show(await self._stored(tx))
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("metrics of the database could not be read: %s", error)
            self._show({one: {} for one in STORED})
        found = lag.Lag()
        try:
            async with asyncio.timeout(30):
                found = await lag.look(self.pipeline, self.kafka, self.prefix, self.reads)
        except Exception as error:
            if not isinstance(error, KafkaError | OSError | TimeoutError) and not is_transient(
                error
            ):
                raise
            log.warning("the lag could not be read: %r", error)
        self._show({of.LAG: found.partitions, of.TENANT_LAG: found.tenants, of.OLDEST: found.ages})

    async def _stored(self, tx: AsyncConnection) -> Mapping[Metric, Figures]:
        outbox = (await tx.execute(OUTBOX)).one()
        dead_letters = (await tx.execute(LETTERS)).all()
        work = (await tx.execute(WORK)).all()
        paused = set((await tx.execute(PAUSED)).scalars())
        held = (await tx.execute(HELD)).all()
        waiting = (await tx.execute(REPLAYS_WAITING)).all()
        return {
            of.OUTBOX_RECORDS: {(): outbox.records},
            of.OUTBOX_BYTES: {(): outbox.bytes},
            of.OUTBOX_AGE: {(): max(0.0, (await tx.execute(OLDEST_UNSENT)).scalar_one())},
            of.LETTERS: {(row.consumer, row.error_class): row.letters for row in dead_letters},
            of.LETTERS_AGE: {(row.consumer, row.error_class): row.age for row in dead_letters},
            of.WORK: {(row.queue, row.state): row.work_items for row in work},
            of.WORK_AGE: {(row.queue,): row.age for row in work if row.state == "ready"},
            of.PROGRESS: {(row.consumer,): row.age for row in (await tx.execute(PROGRESS)).all()},
            of.PAUSED: {(one,): float(one in paused) for one in self.reads},
            of.REPLAYS: {(): (await tx.execute(REPLAYS)).scalar_one()},
            of.REPLAYS_WAITING: {(row.consumer,): row.messages for row in waiting},
            of.HELD: {(row.topic,): row.held for row in held},
            of.STOPPED: {(row.topic,): row.stopped for row in held},
            of.REFUSED: {(): (await tx.execute(REFUSED)).scalar_one()},
        }

    def _show(self, figures: Mapping[Metric, Figures]) -> None:
        for metric, found in figures.items():
            self.meters.show(metric, found)
