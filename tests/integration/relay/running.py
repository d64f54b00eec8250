"""A relay at work beside the test, and what it has put aside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from compose.kafka.log import SEND_SECONDS, KafkaLog
from compose.settings import Settings
from producers.outbox.partition_layout import Layout
from producers.outbox.relay import relay
from schemas.topics import TOPICS
from tests.eventually import eventually

LEFT = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM outbox_held)"
STOPPED = "SELECT stopped_why FROM topic_layouts WHERE topic = $1"


@asynccontextmanager
async def relaying(
    settings: Settings, connection: asyncpg.Connection, send_seconds: float = SEND_SECONDS
) -> AsyncIterator["asyncio.Task[None]"]:
    """The relay as its process has it, which tries again soon what it could not send."""
    layout = Layout({topic.name: topic.partitions for topic in TOPICS})
    kafka = KafkaLog(
        settings.kafka,
        settings.kafka_topic_prefix,
        lambda: layout.cluster,
        layout.partitions,
        confirmed=layout.confirmed,
        send_seconds=send_seconds,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(
        relay(connection, kafka, stop, layout, retry_seconds=0.5, quick_seconds=send_seconds / 15)
    )
    try:
        yield running
    finally:
        stop.set()
        await asyncio.gather(running, return_exceptions=True)
        await kafka.stop()


async def delete_topic(admin: AIOKafkaAdminClient, name: str) -> None:
    """And wait until it is gone."""
    await admin.delete_topics([name])

    async def gone() -> bool:
        return name not in await admin.list_topics()

    await eventually(gone)


async def make_topic(admin: AIOKafkaAdminClient, name: str, partitions: int = 6) -> None:
    """Anew."""
    answer = await admin.create_topics([NewTopic(name, partitions, 1)])
    assert not answer.topic_errors[0][1], answer


async def configure(admin: AIOKafkaAdminClient, name: str, **config: str) -> None:
    """Let a topic have these settings, with _ for a dot, and no others.

    Wait until the broker knows.
    """
    dotted = {key.replace("_", "."): value for key, value in config.items()}
    (answer,) = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, dotted)])
    assert not answer.resources[0][0], answer

    async def known() -> dict[str, str]:
        (found,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        return {one[0]: one[1] for one in found.resources[0][4]}

    defaults = {"max.message.bytes": "1048588", "cleanup.policy": "delete"}
    await eventually(known, lambda found: (defaults | dotted).items() <= found.items())
