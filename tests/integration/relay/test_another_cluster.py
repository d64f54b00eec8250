"""Nothing is sent to a Kafka that is not ours, whoever answers at its address."""

import asyncio

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.processes import relay as process
from compose.settings import Settings
from tests.eventually import eventually
from tests.integration.relay.log import numbered, on_kafka, unsent, write

OURS = "UPDATE kafka_cluster SET cluster_id = $1 RETURNING cluster_id"


@pytest.mark.foreign("rows whose bytes nobody looks at: the relay sends what stands in the log")
async def test_another_cluster_at_the_same_address_gets_nothing(
    settings: Settings, pipeline: AsyncEngine, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The relay says so and waits; it goes on by itself once this one is ours."""
    await write(pipeline, numbered("a", range(3)))
    owner = await asyncpg.connect(database, server_settings={"role": "headrace_owner"})
    ours = await owner.fetchval("SELECT cluster_id FROM kafka_cluster")
    await owner.execute(OURS, "the one that we had")
    stop = asyncio.Event()
    running = asyncio.create_task(process.run(settings, stop))
    try:

        async def said() -> list[str]:
            return [one.message for one in caplog.records if one.levelname == "CRITICAL"]

        (message,) = await eventually(said)
        assert "the one that we had" in message
        assert "headrace topics restore" in message
        assert not running.done()
        assert await unsent(pipeline) == 3
        assert await on_kafka(settings) == []

        await owner.execute(OURS, ours)
        await eventually(lambda: unsent(pipeline), lambda count: count == 0)
        assert len(await said()) == 1
    finally:
        stop.set()
        await running
        await owner.close()
    assert len(await on_kafka(settings)) == 3
