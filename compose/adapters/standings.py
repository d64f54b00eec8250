"""Where every consumer stands: its state, its lag per partition, its last progress."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import Row, RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

from consumers.breaker import BAD
from consumers.pausing import store
from consumers.registry import CONSUMERS, Consumer

POSITIONS = text(
    "SELECT topic, partition, next, updated_at FROM positions WHERE consumer = :consumer AND generation = 0"
)
NEVER_PAUSED = {"state": "running", "reason": None, "changed_by": None, "since": None, "recent": ""}
ANSWER_SECONDS = 10.0
Ends = Mapping[tuple[str, int], tuple[int, int]]


@dataclass(frozen=True)
class PartitionStanding:
    """One partition; `position` None means never read, `end` and `lag` None that Kafka could not be asked."""

    topic: str
    partition: int
    position: int | None
    end: int | None
    lag: int | None


@dataclass(frozen=True)
class BreakerStanding:
    """What the breaker allows, and how many of the latest messages failed."""

    max_run: int
    max_ratio: float
    window: int
    recent: int
    recent_failures: int


@dataclass(frozen=True)
class Standing:
    """One consumer."""

    name: str
    state: str
    reason: str | None
    by: str | None
    since: datetime | None
    lag: int | None
    last_progress: datetime | None
    breaker: BreakerStanding
    partitions: tuple[PartitionStanding, ...]


async def standings(pipeline: AsyncEngine, kafka: str, prefix: str) -> list[Standing]:
    """Every consumer; without Kafka the lag is unknown."""
    async with pipeline.begin() as tx:
        rows = {row["consumer"]: row for row in await store.states(tx)}
        positions = {one.name: (await tx.execute(POSITIONS, {"consumer": one.name})).all() for one in CONSUMERS}
    ends = await _ends(kafka, sorted({prefix + topic for one in CONSUMERS for topic in one.topics}))
    return [_standing(one, rows.get(one.name), positions[one.name], ends, prefix) for one in CONSUMERS]


def _standing(
    consumer: Consumer, row: RowMapping | None, read: Sequence[Row[Any]], ends: Ends, prefix: str
) -> Standing:  # fmt: skip
    found = {(one.topic, one.partition): one for one in read}
    topics = {prefix + topic for topic in consumer.topics}
    partitions = []
    for place in sorted({*found, *(place for place in ends if place[0] in topics)}):
        begin, end = ends.get(place, (None, None))
        position = found[place].next if place in found else None
        at = begin if position is None else position
        lag = None if end is None or at is None else max(0, end - at)
        partitions.append(PartitionStanding(*place, position, end, lag))
    known: Mapping[str, Any] = NEVER_PAUSED if row is None else dict(row)
    limits, recent = consumer.breaker, known["recent"]
    lags = [one.lag for one in partitions if one.lag is not None]
    return Standing(
        consumer.name, known["state"], known["reason"], known["changed_by"], known["since"],
        sum(lags) if partitions and len(lags) == len(partitions) else None,
        max((one.updated_at for one in found.values()), default=None),
        BreakerStanding(limits.max_run, limits.max_ratio, limits.window, len(recent), recent.count(BAD)),
        tuple(partitions),
    )  # fmt: skip


async def _ends(kafka: str, topics: list[str]) -> Ends:
    """The beginning and the end of each partition; nothing when Kafka does not answer."""
    client = AIOKafkaConsumer(bootstrap_servers=kafka, request_timeout_ms=int(ANSWER_SECONDS * 1000))
    try:
        async with asyncio.timeout(ANSWER_SECONDS), client:
            known = await client.topics()
            places = [
                TopicPartition(topic, partition)
                for topic in topics if topic in known
                for partition in client.partitions_for_topic(topic) or ()
            ]  # fmt: skip
            first, last = await asyncio.gather(client.beginning_offsets(places), client.end_offsets(places))
    except (KafkaError, OSError, TimeoutError):
        return {}
    return {(tp.topic, tp.partition): (first[tp], last[tp]) for tp in places}
