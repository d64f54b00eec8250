"""Nothing is sent to a Kafka that is not ours, whoever answers at its address."""

import asyncio

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.adapters.subscription import AnotherClusterError
from compose.processes import relay as process
from compose.settings import Settings
from tests.integration.relay.log import numbered, on_kafka, unsent, write


@pytest.mark.foreign("rows whose bytes nobody looks at: the relay sends what stands in the log")
async def test_another_cluster_at_the_same_address_gets_nothing(
    settings: Settings, pipeline: AsyncEngine, database: str
) -> None:
    await write(pipeline, numbered("a", range(3)))
    owner = await asyncpg.connect(database, server_settings={"role": "headrace_owner"})
    await owner.execute("UPDATE kafka_cluster SET cluster_id = 'the one that we had'")
    await owner.close()

    with pytest.raises(AnotherClusterError):
        await asyncio.wait_for(process.run(settings, asyncio.Event()), 20)

    assert await unsent(pipeline) == 3
    assert await on_kafka(settings) == []
