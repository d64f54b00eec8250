"""Partitions added behind our back: held and told, not hashed over, then taken over."""

import logging

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.kafka import topics
from compose.kafka.partition_expansion import CannotGrow, growing
from compose.settings import Settings
from tests.eventually import eventually
from tests.integration.growing.ground import TOPIC, ground, writing

pytestmark = pytest.mark.foreign("rows whose bytes say their order, read by nobody but the test")


async def test_held_told_and_taken_over(
    settings: Settings,
    pipeline: AsyncEngine,
    admin: AIOKafkaAdminClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    name = settings.kafka_topic_prefix + TOPIC
    caplog.set_level(logging.WARNING, "producers.outbox.relay")
    async with ground(settings, pipeline, admin) as found:
        async with writing(found):
            await found.more()
            await admin.create_partitions({name: NewPartitions(8)})
            await eventually(found.held)
            await found.parked()
            assert f"`headrace topics grow {TOPIC} 8`" in caplog.text

            with pytest.raises(
                topics.WrongTopics, match=f"8 partitions, not 6.*headrace topics grow {TOPIC} 8"
            ):
                await topics.ensure(settings.model_copy(), hold=False)
            assert await topics.ensure(settings, hold=True) == []
            async with growing(settings, TOPIC, print) as growth:
                stands = await growth.look.status(TOPIC)
                assert (stands.partitions, stands.spread_over, stands.held_for, stands.held_by) == (
                    8,
                    6,
                    None,
                    "the relay",
                )
                for refused in (growth.grow(7, "test", 60), growth.grow(6, "test", 60)):
                    with pytest.raises(CannotGrow, match=f"headrace topics grow {TOPIC} 8"):
                        await refused
                assert max(max(one.partitions()) for one in found.readers.values()) < 6

                await growth.grow(8, "test", 60)
            assert not await found.held()
            await found.seen_above(6)
            await found.more()
        await found.end()
        assert await topics.ensure(settings) == []


async def test_more_is_added_while_it_is_held(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient
) -> None:
    """By both: the hold goes on for the larger number."""
    name = settings.kafka_topic_prefix + TOPIC
    async with ground(settings, pipeline, admin) as found:
        async with writing(found):
            await found.killed("grow.held", 7)
            await admin.create_partitions({name: NewPartitions(8)})
            async with growing(settings, TOPIC, print) as growth:
                with pytest.raises(CannotGrow, match="has 8 partitions, and Kafka takes none away"):
                    await growth.grow(7, "test", 60)
                assert await found.held()
                await growth.grow(9, "test", 60)
            await found.seen_above(6)
            assert (await found.partitions(), await found.held()) == (9, False)
        await found.end()
