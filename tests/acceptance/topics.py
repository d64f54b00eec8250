"""What stands on a topic, read from its beginning, as any Kafka client would."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import Topic


async def records(bootstrap: str, topic: Topic, prefix: str = "") -> list[dict[str, Any]]:
    """Every record's envelope, in the order of each partition."""
    return [one async for one in each(bootstrap, topic, prefix)]


async def each(bootstrap: str, topic: Topic, prefix: str = "") -> AsyncIterator[dict[str, Any]]:
    """The same one by one, for a topic that is too large to hold."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(prefix + topic.name, one) for one in range(topic.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        moved = time.monotonic()
        while any([await consumer.position(one) < ends[one] for one in partitions]):
            for polled in (await consumer.getmany(timeout_ms=200)).values():
                moved = time.monotonic()
                for record in polled:
                    yield json.loads(record.value)
            assert time.monotonic() - moved < 60, f"{topic.name} cannot be read to its end"
    finally:
        await consumer.stop()
