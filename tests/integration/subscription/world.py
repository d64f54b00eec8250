"""What the tests do to Kafka, and how they wait."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from compose.kafka.subscription import Subscription, Timing

QUICK = Timing(watch_seconds=0.2, stall_seconds=5.0, max_backoff_seconds=0.5, operator_seconds=0.2)


def fresh(word: str) -> str:
    """A name nobody used."""
    return f"{word}-{uuid.uuid4().hex[:8]}"


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + seconds
    while not await true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds} s")
        await asyncio.sleep(0.02)


async def make_topic(admin: AIOKafkaAdminClient, partitions: int = 1) -> str:
    """A topic of the test's own, ready."""
    topic = fresh("topic")
    await admin.create_topics([NewTopic(topic, partitions, 1)])
    return topic


async def send(bootstrap: str, topic: str, count: int, partitions: int = 1) -> None:
    """`count` records in each partition, numbered from 0."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", max_batch_size=1 << 20
    ) as producer:
        for number in range(count):
            for partition in range(partitions):
                await producer.send(topic, str(number).encode(), partition=partition)


async def truncate(admin: AIOKafkaAdminClient, topic: str, before: int) -> None:
    """Delete what lies before this offset in partition 0."""
    await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before)})


async def commit_to_group(bootstrap: str, group: str, topic: str, offset: int) -> None:
    """Leave a group offset in Kafka, which nobody of ours may follow."""
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False
    ) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.commit({TopicPartition(topic, 0): offset})


@asynccontextmanager
async def served(subscription: Subscription) -> AsyncIterator[asyncio.Task[None]]:
    """Run it beside the test, and stop it in order."""
    async with subscription:
        waiting = asyncio.create_task(subscription.wait())
        yield waiting
        subscription.stop()
        await waiting
