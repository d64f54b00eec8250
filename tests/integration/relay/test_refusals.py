"""What Kafka will not have waits alone, says so, and goes on by itself when Kafka has it after
all.
"""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.devstack.blockers import held_back
from compose.kafka.log import KafkaLog
from compose.settings import Settings
from producers.outbox.relay import relay_once
from schemas.topics import DATASETS, JOBS, MODELS
from tests.eventually import eventually
from tests.integration.relay.conftest import Connect
from tests.integration.relay.log import entry, first_appearances, numbered, on_kafka, unsent, write
from tests.integration.relay.running import (
    LEFT,
    STOPPED,
    configure,
    delete_topic,
    make_topic,
    relaying,
)

pytestmark = pytest.mark.foreign("rows whose bytes nobody looks at: the relay sends the log's")
REFUSED = "SELECT refused_why FROM outbox_held WHERE refused_why IS NOT NULL AND topic = $1"
BEHIND = "SELECT count(*) FROM outbox_held WHERE refused_why IS NULL AND topic = $1"


async def test_a_host_whose_clock_is_two_hours_ahead(
    pipeline: AsyncEngine, connection: asyncpg.Connection, log: KafkaLog, settings: Settings
) -> None:
    """The event keeps its time; Kafka, which would refuse it, gets the relay's own."""
    ahead = datetime.now(UTC) + timedelta(hours=2)
    await write(pipeline, [*numbered("before", range(3)), entry(b"ahead", b"ahead:0", at=ahead)])

    assert await relay_once(connection, log) == 4

    assert await unsent(pipeline) == 0
    times = [record.timestamp / 1000 for record in await on_kafka(settings)]
    assert all(abs(one - datetime.now(UTC).timestamp()) < 600 for one in times)


async def test_a_topic_that_is_gone_stops_alone(
    pipeline: AsyncEngine,
    connect: Connect,
    settings: Settings,
    admin: AIOKafkaAdminClient,
    database: str,
) -> None:
    """Its rows wait in their order, the others flow; made again, it goes on by itself."""
    name = settings.kafka_topic_prefix + MODELS.name
    looking = await connect()
    await delete_topic(admin, name)
    for number in range(20):
        await write(
            pipeline, [*numbered("gone", [number], MODELS.name), *numbered("job", [number])]
        )

    async with relaying(settings, await connect()) as running:
        await eventually(lambda: looking.fetchval(LEFT), lambda left: left == 20, seconds=40)
        assert "UNKNOWN_TOPIC" in await looking.fetchval(STOPPED, MODELS.name)
        (stopped,) = (await held_back(database))["stopped_topics"]
        assert (stopped["topic"], stopped["waiting"]) == (MODELS.name, 20)
        await write(pipeline, [*numbered("gone", [20], MODELS.name), *numbered("job", [20])])
        await eventually(lambda: looking.fetchval(LEFT), lambda left: left == 21)
        assert first_appearances(await on_kafka(settings)) == {b"job": list(range(21))}

        await make_topic(admin, name, MODELS.partitions)
        await eventually(lambda: looking.fetchval(LEFT), lambda left: left == 0, seconds=40)
        assert await looking.fetchval(STOPPED, MODELS.name) is None
        assert not running.done()
    assert first_appearances(await on_kafka(settings, MODELS.name)) == {b"gone": list(range(21))}


async def test_records_that_are_refused_stop_their_key_only(
    pipeline: AsyncEngine,
    connect: Connect,
    settings: Settings,
    admin: AIOKafkaAdminClient,
    database: str,
) -> None:
    """Too large for its topic, or without a key where one is wanted: what has the same key waits
    behind it.
    """
    prefix, looking = settings.kafka_topic_prefix, await connect()
    await configure(admin, prefix + JOBS.name, max_message_bytes="20000")
    await configure(admin, prefix + DATASETS.name, cleanup_policy="compact")
    large = entry(b"large", b"x" * 100_000 + b":3")
    rows = [one for number in range(300) for one in numbered("small", [number])]
    await write(
        pipeline,
        [*numbered("large", range(3)), *rows[:150], large, *rows[150:], *numbered("large", [4, 5])],
    )
    keyless = entry(None, b"no key", topic=DATASETS.name)
    await write(
        pipeline, [*numbered("a", [0], DATASETS.name), keyless, *numbered("a", [1], DATASETS.name)]
    )

    async with relaying(settings, await connect()) as running:
        await eventually(
            lambda: looking.fetchval(BEHIND, JOBS.name), lambda behind: behind == 2, seconds=60
        )
        await eventually(lambda: looking.fetchval(LEFT), lambda left: left == 4)
        assert "MESSAGE_SIZE_TOO_LARGE" in await looking.fetchval(REFUSED, JOBS.name)
        assert "INVALID_RECORD" in await looking.fetchval(REFUSED, DATASETS.name)
        told = (await held_back(database))["refused_records"]
        assert [(one["topic"], one["records"]) for one in told] == [
            (DATASETS.name, 1),
            (JOBS.name, 1),
        ]
        expected = {b"large": [0, 1, 2], b"small": list(range(300))}
        assert first_appearances(await on_kafka(settings)) == expected
        assert first_appearances(await on_kafka(settings, DATASETS.name)) == {b"a": [0, 1]}

        await configure(admin, prefix + JOBS.name)
        await configure(admin, prefix + DATASETS.name)
        await eventually(lambda: looking.fetchval(LEFT), lambda left: left == 0, seconds=60)
        assert not running.done()
    assert first_appearances(await on_kafka(settings))[b"large"] == list(range(6))
