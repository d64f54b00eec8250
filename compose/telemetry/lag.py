"""How far each consumer and projection is behind the log, whoever runs or does not run: from
positions and Kafka.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.consumer_groups import POSITIONS
from compose.kafka.subscription.log import ends

NOW = text("SELECT headrace_clock()")

MOST_TENANTS = 20
REST = "other"
LOOK_BYTES = 256 << 10  # of one partition
LOOK_SECONDS = 2.0  # for the first records of one consumer's partitions

Place = tuple[str, int]


@dataclass
class Lag:
    """By consumer, topic and partition; by consumer and tenant.

    And the age in seconds of each consumer's oldest.
    """

    partitions: dict[tuple[str, ...], float] = field(default_factory=dict)
    tenants: dict[tuple[str, ...], float] = field(default_factory=dict)
    ages: dict[tuple[str, ...], float] = field(default_factory=dict)


def shares(
    lag: Mapping[Place, int], tenants: Mapping[Place, Sequence[str]], most: int = MOST_TENANTS
) -> Counter[str]:
    """Whose the lag is, judged by the first records of each partition.

    The largest by name, the rest together.
    """
    found: Counter[str] = Counter()
    exact: defaultdict[str, float] = defaultdict(float)
    for place, seen in tenants.items():
        for tenant, records in Counter(seen).items():
            exact[tenant] += records * lag[place] / len(seen)
    by_size = sorted(exact, key=lambda one: (one == REST, -exact[one], one))
    for rank, tenant in enumerate(by_size):
        found[tenant if rank < most else REST] += round(exact[tenant])
    return found


async def look(
    pipeline: AsyncEngine, kafka: str, prefix: str, reads: Mapping[str, Sequence[str]]
) -> Lag:
    """The state of every consumer group; `reads` are the topics of each.

    Raises what Kafka and Postgres raise.
    """
    async with pipeline.begin() as tx:
        now: datetime = (await tx.execute(NOW)).scalar_one()
        positions = {
            (row.consumer, row.topic, row.partition): row.next
            for row in await tx.execute(text(POSITIONS))
        }
    topics = {prefix + topic for one in reads.values() for topic in one}
    found = Lag()
    client = AIOKafkaConsumer(
        *topics,
        bootstrap_servers=kafka,
        enable_auto_commit=False,
        max_partition_fetch_bytes=LOOK_BYTES,
        fetch_max_wait_ms=20,
    )
    try:
        await client.start()
        there = [
            (topic, number)
            for topic in topics
            for number in client.partitions_for_topic(topic) or ()
        ]
        log = await ends(client, there)
        for consumer, own in reads.items():
            starts, behind = {}, {}
            for place in there:
                if place[0].removeprefix(prefix) in own:
                    begin, end = log[place]
                    start = positions.get((consumer, *place), begin)
                    found.partitions[consumer, place[0], str(place[1])] = max(0, end - start)
                    if start < end:
                        starts[place], behind[place] = max(start, begin), end - start
            tenants, oldest = await _first(client, starts)
            found.tenants |= {
                (consumer, tenant): float(n) for tenant, n in shares(behind, tenants).items()
            }
            found.ages[consumer,] = (
                0.0 if oldest is None else max(0.0, now.timestamp() - oldest / 1000)
            )
    finally:
        await client.stop()
    return found


async def _first(
    client: AIOKafkaConsumer, starts: Mapping[Place, int]
) -> tuple[dict[Place, list[str]], int | None]:
    """The tenants of the first records from there on, and the milliseconds of the oldest."""
    if not starts:
        return {}, None  # a client that is assigned nothing does not stop
    tenants: dict[Place, list[str]] = {}
    times: list[int] = []
    waited = {TopicPartition(*place) for place in starts}
    client.unsubscribe()
    client.assign(list(waited))
    for place, start in starts.items():
        client.seek(TopicPartition(*place), start)
    until = asyncio.get_running_loop().time() + LOOK_SECONDS
    while waited and asyncio.get_running_loop().time() < until:
        for place, records in (await client.getmany(*waited, timeout_ms=200)).items():
            waited.discard(place)
            tenants[place.topic, place.partition] = [_tenant(one.key) for one in records]
            times.append(records[0].timestamp)
    return tenants, min(times, default=None)


def _tenant(key: bytes | None) -> str:
    """As keys begin; what no tenant can be made of is with the rest."""
    try:
        return str(UUID((key or b"").split(b":", 1)[0].decode()))
    except ValueError:
        return REST
