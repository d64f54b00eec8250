"""The log as Kafka has it: its ends, the cluster it belongs to, and whether a position is inside
it.
"""

import asyncio
from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from compose.kafka.subscription.ports import AnotherClusterError, OutsideLogError, Partition

Ends = tuple[int, int]
ANSWER_MS = 5_000  # nobody who stops waits longer for a Kafka that is silent


async def ends(
    consumer: AIOKafkaConsumer, partitions: Iterable[Partition]
) -> dict[Partition, Ends]:
    """The first offset of each partition, and the one after its last."""
    of = [TopicPartition(*partition) for partition in partitions]
    first, last = await asyncio.gather(consumer.beginning_offsets(of), consumer.end_offsets(of))
    return {(tp.topic, tp.partition): (first[tp], last[tp]) for tp in of}


def require_inside(positions: Mapping[Partition, int], found: Mapping[Partition, Ends]) -> None:
    """Raise OutsideLogError for the first position that is not in the log."""
    for partition, position in positions.items():
        begin, end = found[partition]
        if not begin <= position <= end:
            raise OutsideLogError(partition, position, begin, end)


async def require_cluster(bootstrap: str, expected: str | None) -> None:
    """Raise AnotherClusterError when this Kafka is not the one that is remembered; None is
    nobody's memory.
    """
    if expected is None:
        return
    asking = asyncio.create_task(_cluster_id(bootstrap))
    try:
        found = await asyncio.shield(asking)
    except (
        asyncio.CancelledError
    ):  # aiokafka, cancelled on the way, leaks its connection or swallows the cancellation
        await asyncio.gather(asking, return_exceptions=True)
        raise
    if found != expected:
        raise AnotherClusterError(expected, found)


async def _cluster_id(bootstrap: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=ANSWER_MS)
    try:
        await admin.start()
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()
