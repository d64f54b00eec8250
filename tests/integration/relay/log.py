"""Rows of the log as owners append them, and what stands on Kafka afterwards."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from compose.settings import Settings
from producers.outbox.append import append
from schemas.event import Headers
from schemas.log import LogEntry, pack_headers
from schemas.topics import JOBS
from tests.factories import new_id

TENANT = UUID("01890000-0000-7000-8000-000000000001")


def entry(
    key: bytes | None,
    value: bytes | None,
    headers: Headers = (),
    topic: str = JOBS.name,
    at: datetime | None = None,
) -> LogEntry:
    """One row; the relay looks at nothing of it but what Kafka gets."""
    return LogEntry(
        topic,
        key,
        value,
        pack_headers(headers),
        new_id(),
        "job.requested",
        TENANT,
        "a",
        0,
        new_id(),
        at or datetime.now(UTC),
    )


def numbered(key: str, numbers: Sequence[int], topic: str = JOBS.name) -> list[LogEntry]:
    """Rows of one key whose values say their order."""
    return [entry(key.encode(), f"{key}:{number}".encode(), topic=topic) for number in numbers]


async def write(pipeline: AsyncEngine, entries: Sequence[LogEntry]) -> None:
    """In one transaction."""
    async with pipeline.begin() as tx:
        await append(tx, entries)


async def unsent(pipeline: AsyncEngine | AsyncConnection) -> int:
    """How many rows Kafka has not confirmed."""
    query = text("SELECT count(*) FROM outbox")
    if isinstance(pipeline, AsyncConnection):
        return int((await pipeline.execute(query)).scalar_one())
    async with pipeline.begin() as tx:
        return int((await tx.execute(query)).scalar_one())


async def on_kafka(
    settings: Settings, topic: str = JOBS.name
) -> list[ConsumerRecord[bytes, bytes]]:
    """Everything on a topic, partition by partition, in its order."""
    name = settings.kafka_topic_prefix + topic
    found: list[ConsumerRecord[bytes, bytes]] = []
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, auto_offset_reset="earliest"
    ) as consumer:
        places = [
            TopicPartition(name, number) for number in sorted(await _partitions(consumer, name))
        ]
        ends = await consumer.end_offsets(places)
        consumer.assign([place for place in places if ends[place]])
        while len(found) < sum(ends.values()):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                found += records
    return sorted(found, key=lambda one: (one.partition, one.offset))


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    cluster = await consumer._client.fetch_all_metadata()
    return set(cluster.partitions_for_topic(topic) or ())


def first_appearances(records: Sequence[ConsumerRecord[bytes, bytes]]) -> dict[bytes, list[int]]:
    """The numbers of each key in the order in which each was first seen."""
    seen: dict[bytes, list[int]] = {}
    for record in records:
        assert record.key is not None
        assert record.value is not None
        number = int(record.value.rsplit(b":", 1)[1])
        if number not in seen.setdefault(record.key, []):
            seen[record.key].append(number)
    return seen
