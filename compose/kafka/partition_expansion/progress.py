"""The state of a topic: on Kafka, with the relay, and with everybody who reads it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from compose.consumer_groups import POSITIONS, READERS
from compose.kafka.subscription.log import ends, require_cluster
from compose.kafka.topics import partitions_of
from compose.settings import Settings
from schemas.topics import TOPICS

RESTORE = "topics restore"  # who holds a topic while what was lost of it is published again
LAYOUT = """
SELECT l.partitions, l.held_for, l.held_by, l.held_since, coalesce(l.settled, false) AS settled,
       (SELECT cluster_id FROM kafka_cluster) AS cluster,
       (SELECT count(*) FROM outbox_held h WHERE h.topic = asked.topic) AS waiting
FROM (SELECT $1::text AS topic) AS asked LEFT JOIN topic_layouts l USING (topic)
"""
SETTLED = "SELECT EXISTS (SELECT FROM topic_layouts WHERE topic = $1 AND settled)"


class CannotGrow(Exception):
    """Why not, then what to do: a line each."""


@dataclass(frozen=True)
class TopicStatus:
    """A topic: its keys are `spread_over` so many partitions, and Kafka has `partitions`; `waiting`
    records are not sent yet.

    `behind` says of each who reads it, and is not at its end, how many records are left.
    """

    topic: str
    spread_over: int
    partitions: int
    held_for: int | None
    held_by: str | None
    held_since: str | None
    waiting: int
    behind: Mapping[str, int]


@dataclass(frozen=True)
class Look:
    """Where to look; one connection of the pipeline's role, and Kafka."""

    settings: Settings
    connection: asyncpg.Connection
    admin: AIOKafkaAdminClient
    log: AIOKafkaConsumer

    async def status(self, topic: str) -> TopicStatus:
        """How it is now; raises CannotGrow when Kafka does not have it."""
        row: Any = await self.connection.fetchrow(LAYOUT, topic)
        await require_cluster(self.settings.kafka, row["cluster"])
        found = await self.partitions(topic)
        if not found:
            raise CannotGrow(f"{topic} is not on Kafka", "headrace topics makes it")
        return TopicStatus(
            topic,
            row["partitions"] or next(one.partitions for one in TOPICS if one.name == topic),
            found,
            row["held_for"],
            row["held_by"],
            row["held_since"] and row["held_since"].isoformat(),
            row["waiting"],
            await self.behind(topic, found),
        )

    async def partitions(self, topic: str) -> int:
        """How many Kafka has."""
        name = self.settings.kafka_topic_prefix + topic
        return (await partitions_of(self.admin, [name])).get(name, 0)

    async def settled(self, topic: str) -> bool:
        """Whether the relay has seen that the topic is paused: nothing of it is being sent."""
        return bool(await self.connection.fetchval(SETTLED, topic))

    async def behind(self, topic: str, partitions: int) -> dict[str, int]:
        """Records that somebody who reads it has not consumed yet."""
        name = self.settings.kafka_topic_prefix + topic
        log = await ends(self.log, [(name, number) for number in range(partitions)])
        rows = await self.connection.fetch(POSITIONS)
        positions = {
            (row["consumer"], row["partition"]): row["next"] for row in rows if row["topic"] == name
        }
        found = {
            one.name: sum(
                max(0, end - positions.get((one.name, number), begin))
                for (_, number), (begin, end) in log.items()
            )
            for one in READERS.values()
            if topic in one.topics
        }
        return {one: lag for one, lag in found.items() if lag}


@asynccontextmanager
async def looking(settings: Settings, command_seconds: float = 300) -> AsyncIterator[Look]:
    """Connected to both; a statement ends after `command_seconds`."""
    connection = await asyncpg.connect(
        settings.postgres_url.get_secret_value(),
        timeout=10,
        command_timeout=command_seconds,
        server_settings={"role": "headrace_pipeline", "application_name": "headrace topics"},
    )
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka, request_timeout_ms=20_000)
    try:
        await admin.start()
        async with AIOKafkaConsumer(
            bootstrap_servers=settings.kafka, enable_auto_commit=False
        ) as log:
            yield Look(settings, connection, admin, log)
    finally:
        await admin.close()
        await connection.close(timeout=5)


async def topic_statuses(settings: Settings) -> list[TopicStatus]:
    """The partitions and records of every topic."""
    async with looking(settings) as look:
        return [await look.status(topic.name) for topic in TOPICS]
