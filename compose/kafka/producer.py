"""The producer of the relay: how it is made, how it is given up, and what topics it sees."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterable

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError

from compose.kafka.batches import BATCH_BYTES
from producers.outbox.ports import Place

ABANDON_SECONDS = 5.0
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER on, for no seconds: what is not sent is dropped
NO_LEADER = (None, -1)
LEADER_SECONDS = 3.0  # how long a broker that leaves in order may take to be succeeded
UNKNOWN_LOOKS = 5  # so often in a row a topic is not there before it counts as gone


def producer_of(
    bootstrap: str, request_seconds: float, metadata_seconds: float
) -> AIOKafkaProducer:
    """One that is idempotent, not started."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        max_batch_size=BATCH_BYTES,
        max_request_size=BATCH_BYTES + (64 << 10),
        request_timeout_ms=int(request_seconds * 1000),
        metadata_max_age_ms=int(metadata_seconds * 1000),
    )


async def abandon(producer: AIOKafkaProducer) -> None:
    """Close the producer without sending anything more.

    aiokafka's own `stop` first sends what is left. When that takes too long and is cancelled, the
    producer continues in the background: an idempotent one retries until Kafka answers.
    """
    sender = producer._sender.sender_task  # noqa: SLF001 - there is no other way in
    if sender is not None:
        sender.cancel()
    for connection in list(producer.client._conns.values()):  # noqa: SLF001
        writer = connection._writer  # noqa: SLF001
        if writer is not None:
            # A request that is half written must not arrive later: neither from here nor from the
            # kernel's buffer.
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE
                )
            writer.transport.abort()
        connection.close()
    with contextlib.suppress(Exception):
        await asyncio.wait_for(producer.stop(), ABANDON_SECONDS)
    with contextlib.suppress(Exception):
        await asyncio.wait_for(producer.client.close(), ABANDON_SECONDS)


def without_leader(producer: AIOKafkaProducer, places: Iterable[Place]) -> set[Place]:
    """Those partitions that have no leader, as far as the client knows."""
    leader_of = producer.client.cluster.leader_for_partition
    return {one for one in places if leader_of(TopicPartition(*one)) in NO_LEADER}


async def look_for_leaders(producer: AIOKafkaProducer, places: Iterable[Place]) -> None:
    """Return once each of these has a leader, or after some seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LEADER_SECONDS):
            while without_leader(producer, places):
                await asyncio.sleep(0.1)
                await producer.client.force_metadata_update()


async def partitions_of(producer: AIOKafkaProducer, name: str) -> int:
    """How many partitions a topic has.

    Raises when there is none, sooner than the producer's own look-up.
    """
    client = producer.client
    for look in range(UNKNOWN_LOOKS):
        if found := client.cluster.partitions_for_topic(name):
            return len(found)
        await asyncio.sleep(0.05 * look)
        client.add_topic(name)
        if not await client.force_metadata_update():
            raise KafkaError("no broker says what topics there are")
        if name in client.cluster.unauthorized_topics:
            raise TopicAuthorizationFailedError(name)
    if found := client.cluster.partitions_for_topic(name):
        return len(found)
    raise UnknownTopicOrPartitionError(name)
