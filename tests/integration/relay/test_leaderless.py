"""A partition that has lost its leader: Kafka neither takes its records nor refuses them."""

from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.devstack.servers.kafka import NODE, KafkaServer
from compose.kafka.subscription import Subscription
from compose.settings import Settings
from schemas.topics import JOBS, MODELS
from tests.eventually import eventually
from tests.harness.ports import own_ports
from tests.integration.relay.conftest import Connect
from tests.integration.relay.log import first_appearances, numbered, on_kafka, write
from tests.integration.relay.running import LEFT, STOPPED, relaying
from tests.integration.relay.second_broker import OTHER, SecondBroker
from tests.integration.subscription.store import Store
from tests.integration.subscription.test_recovery import alive
from tests.integration.subscription.world import QUICK, fresh, served

pytestmark = pytest.mark.foreign("rows whose bytes nobody looks at: the relay sends the log's")


async def test_its_topic_stops_alone(
    database_settings: Settings,
    pipeline: AsyncEngine,
    connect: Connect,
    tmp_path: Path,
    store: Store,
) -> None:
    """The others are sent and delivered; with a leader again it goes on by itself."""
    port, controller, second = own_ports(3)
    first = KafkaServer(tmp_path / "first", port, controller)
    settings = database_settings.model_copy(update={"kafka": first.bootstrap})
    other = SecondBroker(tmp_path / "second", second, controller, first=first)
    looking = await connect()
    async with alive(first):
        async with alive(other):
            await make(settings, {JOBS.name: NODE, MODELS.name: OTHER})
        await write(
            pipeline, [*numbered("stuck", range(3), MODELS.name), *numbered("job", range(3))]
        )
        async with relaying(settings, await connect(), send_seconds=3.0) as running:
            number = 3

            async def stopped() -> str:
                nonlocal number
                await write(pipeline, numbered("job", [number]))
                number += 1
                return str(await looking.fetchval(STOPPED, MODELS.name) or "")

            assert "leader" in await eventually(stopped, seconds=60)
            names = [settings.kafka_topic_prefix + one for one in (JOBS.name, MODELS.name)]
            reader = Subscription(
                settings.kafka, fresh("group"), names, store, store.commit, timing=QUICK
            )
            await eventually(lambda: looking.fetchval(LEFT), lambda left: left == 3)
            sent = await on_kafka(settings)
            assert first_appearances(sent) == {b"job": list(range(number))}

            async with served(reader):
                await eventually(store.count, lambda count: count == len(sent), seconds=60)
                async with alive(other):
                    await eventually(
                        lambda: looking.fetchval(LEFT), lambda left: left == 0, seconds=60
                    )
                    late = await on_kafka(settings, MODELS.name)
                    assert first_appearances(late) == {b"stuck": [0, 1, 2]}
                    await eventually(
                        store.count, lambda count: count == len(sent) + len(late), seconds=60
                    )
            assert not running.done()


async def make(settings: Settings, on: dict[str, int]) -> None:
    """Topics whose partitions are on one broker each."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    try:
        answer = await admin.create_topics(
            [
                NewTopic(
                    settings.kafka_topic_prefix + name,
                    -1,
                    -1,
                    {place: [node] for place in range(6)},
                )
                for name, node in on.items()
            ]
        )
        assert not any(code for _, code, *_ in answer.topic_errors), answer
    finally:
        await admin.close()
