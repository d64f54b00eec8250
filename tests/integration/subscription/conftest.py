"""A Kafka to kill, and an empty store of positions for each test."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from compose.devstack.servers.kafka import KafkaServer
from tests.harness.ports import own_ports
from tests.integration.runner.conftest import bench
from tests.integration.subscription.store import TABLES, Store

__all__ = ["bench", "kafka_to_kill", "store"]


@pytest.fixture
def kafka_to_kill(tmp_path: Path) -> KafkaServer:
    """A Kafka of the test's own, not started."""
    port, controller = own_ports(2)
    return KafkaServer(tmp_path / "kafka", port, controller)


@pytest.fixture
async def store(postgres: str) -> AsyncIterator[Store]:
    """Positions and effects in a schema of the test's own."""
    schema = f"t{uuid.uuid4().hex}"
    async with asyncpg.create_pool(
        postgres, min_size=1, max_size=4, server_settings={"search_path": schema}
    ) as pool:
        await pool.execute(f"CREATE SCHEMA {schema}")
        await pool.execute(TABLES)
        yield Store(pool)
