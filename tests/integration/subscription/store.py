"""What a consumer's store does, in the smallest form: positions by compare-and-set, and the
effect beside them.
"""

from collections.abc import Sequence

import asyncpg

from compose.kafka.log_mark import Mark
from compose.kafka.subscription import Partition
from schemas.record import PollBatch

TABLES = """
CREATE TABLE positions (topic text, partition int, next bigint NOT NULL, PRIMARY KEY (topic,
    partition));
CREATE TABLE blocked (topic text, partition int, reason text, PRIMARY KEY (topic, partition));
CREATE TABLE effects (seq bigint GENERATED ALWAYS AS IDENTITY, topic text, partition int,
    log_offset bigint);
"""


class Store:
    """Positions and effects of one consumer; effects have no unique key, so a second one shows."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.pool = pool
        self.look_ups = 0
        self.refused = 0
        self.slow_seconds = 0.0
        self.cluster_id: str | None = None
        self.log_marks: dict[Partition, Mark] = {}

    async def read(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        """The positions port; as slow as it was told to be."""
        self.look_ups += 1
        await self.pool.execute("SELECT pg_sleep($1)", self.slow_seconds)
        rows = await self.pool.fetch(
            "SELECT p.topic, p.partition, p.next FROM positions p "
            "JOIN unnest($1::text[], $2::int[]) AS a(topic, partition) USING (topic, partition)",
            [topic for topic, _ in partitions],
            [partition for _, partition in partitions],
        )
        return {(row["topic"], row["partition"]): row["next"] for row in rows}

    async def marks(self, partitions: Sequence[Partition]) -> dict[Partition, Mark]:
        """The positions port."""
        return {
            partition: self.log_marks[partition]
            for partition in partitions
            if partition in self.log_marks
        }

    async def cluster(self) -> str | None:
        """The positions port."""
        return self.cluster_id

    async def block(self, partitions: Sequence[Partition], reason: str) -> None:
        """The positions port."""
        rows = [(*partition, reason) for partition in partitions]
        await self.pool.executemany(
            "INSERT INTO blocked VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", rows
        )

    async def unblock(self, partitions: Sequence[Partition]) -> None:
        """The positions port."""
        await self.pool.executemany(
            "DELETE FROM blocked WHERE topic = $1 AND partition = $2", partitions
        )

    async def blocked(self) -> str | None:
        """Why something waits for an operator."""
        reason: str | None = await self.pool.fetchval("SELECT max(reason) FROM blocked")
        return reason

    async def commit(self, delivery: PollBatch) -> bool:
        """Lock, compare all, then move all and write the effect: one transaction, or False and
        nothing.
        """
        async with self.pool.acquire() as connection, connection.transaction():
            for span in delivery.spans:
                await connection.execute(
                    "INSERT INTO positions VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    span.topic,
                    span.partition,
                    span.start,
                )
                stands = await connection.fetchval(
                    "SELECT next FROM positions WHERE topic = $1 AND partition = $2 FOR UPDATE",
                    span.topic,
                    span.partition,
                )
                if stands != span.start:
                    self.refused += 1
                    return False
            await connection.executemany(
                "UPDATE positions SET next = $3 WHERE topic = $1 AND partition = $2",
                [(span.topic, span.partition, span.next) for span in delivery.spans],
            )
            await connection.executemany(
                "INSERT INTO effects (topic, partition, log_offset) VALUES ($1, $2, $3)",
                [(record.topic, record.partition, record.offset) for record in delivery.records],
            )
        return True

    async def move(self, topic: str, partition: int, to: int) -> None:
        """Put a position where the test wants it."""
        await self.pool.execute(
            "INSERT INTO positions VALUES ($1, $2, $3)"
            " ON CONFLICT (topic, partition) DO UPDATE SET next = excluded.next",
            topic,
            partition,
            to,
        )

    async def effects(self, partition: int = 0) -> list[int]:
        """The offsets of one partition whose effect is committed, in the order it was."""
        rows = await self.pool.fetch(
            "SELECT log_offset FROM effects WHERE partition = $1 ORDER BY seq", partition
        )
        return [row["log_offset"] for row in rows]

    async def count(self) -> int:
        """How many effects there are."""
        return int(await self.pool.fetchval("SELECT count(*) FROM effects"))


async def has(store: Store, count: int) -> bool:
    """Whether so many effects are there."""
    return await store.count() >= count
