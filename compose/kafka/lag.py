"""The state of every consumer and projection, its lag per partition and its last progress."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.consumer_groups import POSITIONS, READERS, ConsumerGroup
from compose.kafka.subscription.log import ends
from consumers.log.circuit_breaker import store
from consumers.log.circuit_breaker.policy import BAD

BLOCKED = text(
    "SELECT consumer, min(reason) AS reason, min(since) AS since FROM blocked_partitions GROUP "
    "BY consumer"
)
log = logging.getLogger(__name__)

NEVER_PAUSED: Mapping[str, Any] = {
    "state": "running",
    "reason": None,
    "changed_by": None,
    "since": None,
    "recent": "",
    "tenants": {},
}
ANSWER_SECONDS = 10.0
Ends = Mapping[tuple[str, int], tuple[int, int]]


@dataclass(frozen=True)
class PartitionLag:
    """One partition; `position` None means never read, `end` and `lag` None that Kafka could not
    be asked.
    """

    topic: str
    partition: int
    position: int | None
    end: int | None
    lag: int | None


@dataclass(frozen=True)
class BreakerStatus:
    """What the breaker allows, how many of the latest messages failed, and of how many tenants
    these are.
    """

    max_run: int
    max_ratio: float
    window: int
    recent: int
    recent_failures: int
    failing_tenants: int


@dataclass(frozen=True)
class ConsumerLag:
    """One consumer or projection."""

    name: str
    state: str
    reason: str | None
    by: str | None
    since: datetime | None
    lag: int | None
    last_progress: datetime | None
    breaker: BreakerStatus
    partitions: tuple[PartitionLag, ...]


async def consumer_lags(pipeline: AsyncEngine, kafka: str, prefix: str) -> list[ConsumerLag]:
    """Every consumer and projection; without Kafka the lag is unknown."""
    every = READERS.values()
    async with pipeline.begin() as tx:
        rows: dict[str, Mapping[str, Any]] = {
            row["consumer"]: dict(row) for row in await store.states(tx)
        }
        for one in (await tx.execute(BLOCKED)).mappings():
            known = rows.get(one["consumer"], NEVER_PAUSED)
            if known["state"] == "running":
                rows[one["consumer"]] = {**known, **one, "state": "blocked"}
        positions = (await tx.execute(text(POSITIONS))).all()
    ends = await _ends(kafka, {prefix + topic for one in every for topic in one.topics})
    return [_standing(one, rows.get(one.name), positions, ends, prefix) for one in every]


def _standing(
    reader: ConsumerGroup,
    row: Mapping[str, Any] | None,
    positions: Sequence[Row[Any]],
    ends: Ends,
    prefix: str,
) -> ConsumerLag:
    found = {(one.topic, one.partition): one for one in positions if one.consumer == reader.name}
    topics = {prefix + topic for topic in reader.topics}
    partitions = []
    for place in sorted({*found, *(place for place in ends if place[0] in topics)}):
        begin, end = ends.get(place, (None, None))
        position = found[place].next if place in found else None
        at = begin if position is None else position
        lag = None if end is None or at is None else max(0, end - at)
        partitions.append(PartitionLag(*place, position, end, lag))
    known: Mapping[str, Any] = NEVER_PAUSED if row is None else row
    limits, recent = reader.breaker, known["recent"]
    lags = [one.lag for one in partitions if one.lag is not None]
    return ConsumerLag(
        reader.name,
        known["state"],
        known["reason"],
        known["changed_by"],
        known["since"],
        sum(lags) if partitions and len(lags) == len(partitions) else None,
        max((one.updated_at for one in found.values()), default=None),
        BreakerStatus(
            limits.max_run,
            limits.max_ratio,
            limits.window,
            len(recent),
            recent.count(BAD),
            len(set(known["tenants"].get("failed", ()))) if BAD in recent else 0,
        ),
        tuple(partitions),
    )


async def _ends(kafka: str, topics: set[str]) -> Ends:
    """The beginning and the end of each partition; nothing when Kafka does not answer."""
    admin = AIOKafkaAdminClient(
        bootstrap_servers=kafka, request_timeout_ms=int(ANSWER_SECONDS * 1000)
    )
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            try:
                await admin.start()
                there = topics & set(await admin.list_topics())
            finally:
                await admin.close()
            if not there:
                return {}
            async with AIOKafkaConsumer(
                *there, bootstrap_servers=kafka, enable_auto_commit=False
            ) as client:
                partitions = {topic: client.partitions_for_topic(topic) or () for topic in there}
                return await ends(
                    client, [(topic, number) for topic in there for number in partitions[topic]]
                )
    except (KafkaError, OSError, TimeoutError) as error:
        log.warning("the lag is unknown, Kafka does not say where its log ends: %r", error)
        return {}
