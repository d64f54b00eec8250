"""A log that lost what Kafka had confirmed: nothing more is sent to it, nothing of it is struck
off.
"""

import asyncio

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.kafka.log import KafkaLog
from compose.settings import Settings
from producers.outbox.partition_layout import Layout
from producers.outbox.relay import relay_once
from schemas.topics import JOBS, MODELS
from tests.eventually import eventually
from tests.integration.relay.conftest import Connect
from tests.integration.relay.log import first_appearances, numbered, on_kafka, unsent, write
from tests.integration.relay.running import LEFT, STOPPED, delete_topic, make_topic, relaying

pytestmark = pytest.mark.foreign("rows whose bytes nobody looks at: the relay sends the log's")
RESTORED = "UPDATE partition_ends SET confirmed_offset = -1, went_back_at = NULL"


async def test_a_log_made_anew_gets_nothing_until_it_is_restored(
    pipeline: AsyncEngine, connect: Connect, settings: Settings, admin: AIOKafkaAdminClient
) -> None:
    """The relay was away meanwhile.

    Other topics go on, and this one once its ends are set right.
    """
    name, looking = settings.kafka_topic_prefix + JOBS.name, await connect()
    await write(pipeline, numbered("k", range(20)))
    async with relaying(settings, await connect()):
        await eventually(lambda: unsent(pipeline), lambda count: count == 0)
    await delete_topic(admin, name)
    await make_topic(admin, name, JOBS.partitions)
    await write(pipeline, [*numbered("k", range(20, 25)), *numbered("m", range(5), MODELS.name)])

    async with relaying(settings, await connect()) as running:
        why = await eventually(lambda: looking.fetchval(STOPPED, JOBS.name))
        assert "went back: it ends at 0, and Kafka had confirmed offset 19" in why
        assert "headrace topics restore" in why
        await eventually(lambda: looking.fetchval(LEFT), lambda left: left == 5)
        assert await on_kafka(settings) == []
        assert first_appearances(await on_kafka(settings, MODELS.name)) == {b"m": list(range(5))}

        await looking.execute(RESTORED)
        await eventually(lambda: looking.fetchval(LEFT), lambda left: left == 0)
        assert await looking.fetchval(STOPPED, JOBS.name) is None
        assert not running.done()
    assert first_appearances(await on_kafka(settings)) == {b"k": list(range(20, 25))}


async def test_offsets_given_out_a_second_time_are_seen_at_once(
    pipeline: AsyncEngine,
    connection: asyncpg.Connection,
    settings: Settings,
    admin: AIOKafkaAdminClient,
) -> None:
    """Made anew between two rounds, and as long as before after the next one: its end alone
    would not show it.
    """
    name, layout = settings.kafka_topic_prefix + JOBS.name, Layout()
    log = KafkaLog(settings.kafka, settings.kafka_topic_prefix, confirmed=layout.confirmed)
    await write(pipeline, numbered("k", range(20)))
    assert await relay_once(connection, log, layout) == 20
    await delete_topic(admin, name)
    await make_topic(admin, name, JOBS.partitions)
    await log.restart()
    await write(pipeline, numbered("k", range(20, 60)))

    assert await relay_once(connection, log, layout) == 0
    await log.stop()

    assert await unsent(pipeline) == 40
    assert "gave out offset 0 again" in await connection.fetchval(STOPPED, JOBS.name)
    assert await connection.fetchval(
        "SELECT went_back_at FROM partition_ends WHERE topic = $1", name
    )
    async with asyncio.timeout(120), relaying(settings, connection):
        await eventually(lambda: unsent(pipeline), lambda count: count == 0)
    assert await connection.fetchval("SELECT count(*) FROM outbox_held") == 40
