"""A log that went back, or was made anew under the same name: nothing of it is passed over in
silence.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from compose.processes.worker import consumer_parts
from compose.settings import Settings
from consumers.registry import BY_NAME
from schemas.event import Event
from schemas.topics import WEBHOOKS
from tests.eventually import eventually
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.subscription.test_real_parts import billed, consumed, produce

pytestmark = pytest.mark.foreign("put on one partition by hand")
BLOCKED = "SELECT max(reason) FROM blocked_partitions WHERE consumer = 'billing'"
CONFIRMED = """
    INSERT INTO partition_ends (topic, partition, confirmed_offset, seq)
    VALUES (:topic, 0, :confirmed, 1) RETURNING 1
"""


def topic_of(settings: Settings) -> str:
    return settings.kafka_topic_prefix + WEBHOOKS.name


async def made_anew(
    settings: Settings, admin: AIOKafkaAdminClient, events: Sequence[Event]
) -> None:
    """The same name, the same cluster, other records."""
    name = topic_of(settings)
    await admin.delete_topics([name])

    async def gone() -> bool:
        return name not in await admin.list_topics()

    await eventually(gone)
    answer = await admin.create_topics([NewTopic(name, WEBHOOKS.partitions, 1)])
    assert not answer.topic_errors[0][1]
    await produce(settings, events)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator["asyncio.Task[None]"]:
    """Billing, as in its process."""
    async with consumer_parts(BY_NAME["billing"], settings) as (subscribe, *_), subscribe() as one:
        waiting = asyncio.create_task(one.wait())
        yield waiting
        one.stop()
        await asyncio.gather(waiting, return_exceptions=True)


async def position(bench: Bench, settings: Settings) -> int | None:
    return (await bench.next("billing")).get(topic_of(settings))


async def test_a_log_made_anew_that_grew_past_the_position(
    settings: Settings, bench: Bench, admin: AIOKafkaAdminClient
) -> None:
    """30 consumed, then 50 others on the same topic: the first 30 of these must not be passed
    over.
    """
    await produce(settings, rows.webhooks(30))
    await consumed(bench, settings, 30)
    before = await billed(bench)
    await made_anew(settings, admin, rows.webhooks(50))

    async with running(settings) as waiting:

        async def outcome() -> object:
            moved = await position(bench, settings) != 30
            return moved or waiting.done() or await bench.value(BLOCKED)

        await eventually(outcome, seconds=40)
        assert not waiting.done()
        assert f"the log of {topic_of(settings)}[0] went back: event" in await bench.value(BLOCKED)
    assert (await position(bench, settings), await billed(bench)) == (30, before)


async def test_a_log_shorter_than_what_was_confirmed(settings: Settings, bench: Bench) -> None:
    """The consumer was behind: its position is in the log, and what followed is gone.

    It goes on once restored.
    """
    events = rows.webhooks(20)
    await produce(settings, events)
    await bench.value(CONFIRMED, topic=topic_of(settings), confirmed=39)

    async with running(settings) as waiting:

        async def outcome() -> object:
            moved = await position(bench, settings) is not None
            return moved or waiting.done() or await bench.value(BLOCKED)

        await eventually(outcome, seconds=40)
        reason = await bench.value(BLOCKED)
        assert "Kafka had confirmed offset 39, and it ends at 20" in reason
        assert await billed(bench) == set()

        await bench.value("UPDATE partition_ends SET confirmed_offset = 19 RETURNING 1")
        await eventually(lambda: position(bench, settings), lambda at: at == 20 or waiting.done())
        assert not waiting.done()
    assert await billed(bench) == {one.id for one in events}
