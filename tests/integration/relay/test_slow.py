"""A Kafka that is slower than a round: it is drained all the same, and not flooded with copies."""

from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.devstack.servers.kafka import HOST
from compose.kafka import topics
from compose.settings import Settings
from tests.eventually import eventually
from tests.harness.ports import own_ports
from tests.integration.relay.conftest import Connect
from tests.integration.relay.log import entry, first_appearances, on_kafka, unsent, write
from tests.integration.relay.running import relaying
from tests.integration.relay.slow_link import FarKafka, slow_link
from tests.integration.subscription.test_recovery import alive

KEYS, OF_EACH, VALUE = 12, 24, b"x" * (64 << 10)
BYTES_PER_SECOND = 2 << 20  # a round of 8 MiB takes 4 s, and has 3


@pytest.mark.foreign("rows whose bytes nobody looks at: the relay sends what stands in the log")
async def test_a_slow_kafka_is_drained_without_a_flood_of_copies(
    database_settings: Settings, pipeline: AsyncEngine, connect: Connect, tmp_path: Path
) -> None:
    port, controller, far = own_ports(3)
    server = FarKafka(tmp_path / "kafka", port, controller, advertised_port=far)
    settings = database_settings.model_copy(update={"kafka": f"{HOST}:{far}"})
    async with slow_link(far, port, BYTES_PER_SECOND), alive(server):
        await topics.ensure(settings)
        for number in range(OF_EACH):
            rows = [entry(f"{key}".encode(), VALUE + f":{number}".encode()) for key in range(KEYS)]
            await write(pipeline, rows)

        async with relaying(settings, await connect(), send_seconds=3.0):
            await eventually(lambda: unsent(pipeline), lambda count: count == 0, seconds=90)

        records = await on_kafka(settings)
    assert first_appearances(records) == {
        f"{key}".encode(): list(range(OF_EACH)) for key in range(KEYS)
    }
    # Rounds of 8, 4, 2 and 1 MiB may come a second time until one fits, whatever waits behind them.
    assert len(records) - KEYS * OF_EACH <= 2 * (8 << 20) // len(VALUE)
