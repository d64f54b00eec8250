"""Positions in Postgres, moved by compare-and-set in the effect's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from compose.kafka.log_mark import Mark
from schemas.ports import PositionCheck
from schemas.record import Span

READ = text(
    "SELECT topic, partition, next FROM positions WHERE consumer = :consumer AND generation = "
    ":generation"
)
# A first start has no rows yet: they are made at the span's start, so that there is something to
# lock.
CREATE = text("""
    INSERT INTO positions (consumer, generation, topic, partition, next)
    SELECT :consumer, :generation, topic, partition, start
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:starts AS bigint[]))
         AS given(topic, partition, start)
    ORDER BY topic, partition
    ON CONFLICT DO NOTHING
""")
LOCK = text("""
    SELECT p.topic, p.partition, p.next FROM positions p
    JOIN unnest(CAST(:topics AS text[]), CAST(:partitions AS int[])) AS given(topic, partition)
         USING (topic, partition)
    WHERE p.consumer = :consumer AND p.generation = :generation
    ORDER BY p.topic, p.partition
    FOR UPDATE OF p
""")
ADVANCE = text("""
    UPDATE positions p SET next = given.next, updated_at = headrace_clock(),
        last_event_id = given.last_id, last_event_offset = given.next - 1
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:nexts AS bigint[]),
                CAST(:last_ids AS uuid[]))
         AS given(topic, partition, next, last_id)
    WHERE p.consumer = :consumer AND p.generation = :generation
      AND p.topic = given.topic AND p.partition = given.partition
""")
BLOCK = text("""
    INSERT INTO blocked_partitions AS b (consumer, generation, topic, partition, reason)
    SELECT :consumer, :generation, topic, partition, :reason
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[])) AS given(topic, partition)
    ORDER BY topic, partition
    ON CONFLICT ON CONSTRAINT blocked_partitions_pkey DO UPDATE SET reason = excluded.reason
    WHERE b.reason <> excluded.reason
""")
UNBLOCK = text("""
    DELETE FROM blocked_partitions b
    USING unnest(CAST(:topics AS text[]), CAST(:partitions AS int[])) AS given(topic, partition)
    WHERE b.consumer = :consumer AND b.generation = :generation
      AND b.topic = given.topic AND b.partition = given.partition
""")
MARKS = text("""
    SELECT topic, partition, e.confirmed_offset, e.went_back_at, p.next, p.last_event_id
    FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[])) AS given(topic, partition)
    LEFT JOIN partition_ends e USING (topic, partition)
    LEFT JOIN (SELECT topic, partition, next, last_event_id FROM positions
               WHERE consumer = :consumer AND generation = :generation
                   AND last_event_offset = next - 1) p
         USING (topic, partition)
""")
CLUSTER = text("""
    INSERT INTO kafka_cluster (cluster_id) SELECT :cluster WHERE NOT EXISTS (SELECT
        FROM kafka_cluster)
    ON CONFLICT DO NOTHING
""")


KNOWN_CLUSTER = text("SELECT cluster_id FROM kafka_cluster")


@dataclass(frozen=True)
class Positions:
    """One consumer's, or one generation of a projection's."""

    pipeline: AsyncEngine
    consumer: str
    generation: int = 0

    async def read(self, partitions: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], int]:
        """The next offset of each partition that was ever read.

        Absent means the log's beginning.
        """
        async with self.pipeline.begin() as tx:
            rows = (await tx.execute(READ, self._who())).all()
        wanted = set(partitions)
        return {
            (row.topic, row.partition): row.next
            for row in rows
            if (row.topic, row.partition) in wanted
        }

    async def cluster(self) -> str | None:
        """The id of the Kafka cluster that the positions speak of; None before the first start."""
        async with self.pipeline.begin() as tx:
            return (await tx.execute(KNOWN_CLUSTER)).scalar_one_or_none()

    async def marks(self, partitions: Sequence[tuple[str, int]]) -> Mapping[tuple[str, int], Mark]:
        """What tells whether the log is still the one that the positions speak of."""
        async with self.pipeline.begin() as tx:
            rows = (await tx.execute(MARKS, {**self._who(), **_lists(partitions)})).all()
        return {
            (row.topic, row.partition): Mark(
                -1 if row.confirmed_offset is None else row.confirmed_offset,
                row.went_back_at is not None,
                None if row.last_event_id is None else (row.next - 1, row.last_event_id),
            )
            for row in rows
        }

    async def block(self, partitions: Sequence[tuple[str, int]], reason: str) -> None:
        """Note that these wait for an operator, and why; `since` stays that of the first time."""
        async with self.pipeline.begin() as tx:
            await tx.execute(BLOCK, {**self._who(), **_lists(partitions), "reason": reason})

    async def unblock(self, partitions: Sequence[tuple[str, int]]) -> None:
        """Note that these wait for nobody."""
        async with self.pipeline.begin() as tx:
            await tx.execute(UNBLOCK, {**self._who(), **_lists(partitions)})

    async def check(self, tx: AsyncConnection, spans: Sequence[Span]) -> PositionCheck:
        """Lock the partitions' rows in order, and compare them with where the delivery begins
        and ends.
        """
        given = {**self._who(), **self._places(spans)}
        found = await self._lock(tx, given)
        if len(found) < len(spans):
            await tx.execute(CREATE, {**given, "starts": [span.start for span in spans]})
            found = await self._lock(tx, given)
        if all(found[span.topic, span.partition] == span.start for span in spans):
            return PositionCheck.HERE
        if all(found[span.topic, span.partition] == span.next for span in spans):
            return PositionCheck.PASSED
        return PositionCheck.ELSEWHERE

    async def advance(self, tx: AsyncConnection, spans: Sequence[Span]) -> None:
        """Move each partition to the end of its span."""
        moved = {
            "nexts": [span.next for span in spans],
            "last_ids": [span.last_id for span in spans],
        }
        await tx.execute(ADVANCE, {**self._who(), **self._places(spans), **moved})

    async def _lock(
        self, tx: AsyncConnection, given: Mapping[str, object]
    ) -> dict[tuple[str, int], int]:
        return {
            (row.topic, row.partition): row.next for row in (await tx.execute(LOCK, given)).all()
        }

    def _who(self) -> dict[str, object]:
        return {"consumer": self.consumer, "generation": self.generation}

    @staticmethod
    def _places(spans: Sequence[Span]) -> dict[str, object]:
        return _lists([(span.topic, span.partition) for span in spans])


def _lists(partitions: Sequence[tuple[str, int]]) -> dict[str, object]:
    return {
        "topics": [topic for topic, _ in partitions],
        "partitions": [number for _, number in partitions],
    }


async def remember_cluster(pipeline: AsyncEngine, cluster_id: str) -> str:
    """Note the Kafka cluster the first time; returns the one that is noted."""
    async with pipeline.begin() as tx:
        await tx.execute(CLUSTER, {"cluster": cluster_id})
        return str((await tx.execute(KNOWN_CLUSTER)).scalar_one())
