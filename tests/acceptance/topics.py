"""What stands on a topic, read from its beginning, as any Kafka client would."""

import asyncio
import json
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import Topic


async def records(bootstrap: str, topic: Topic, prefix: str = "") -> list[dict[str, Any]]:
    """Every record's envelope, in the order of each partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(prefix + topic.name, one) for one in range(topic.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[dict[str, Any]] = []
        async with asyncio.timeout(60):
            while any([await consumer.position(one) < ends[one] for one in partitions]):
                for polled in (await consumer.getmany(timeout_ms=200)).values():
                    found += [json.loads(record.value) for record in polled]
        return found
    finally:
        await consumer.stop()
