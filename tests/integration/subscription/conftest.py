"""A real Kafka and a real Postgres for the whole run, an empty store and a topic of its own for each test."""

import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from compose.devstack.children import running
from compose.devstack.kafka import KafkaServer
from compose.devstack.ports import free_ports
from compose.devstack.postgres import PostgresServer
from tests.integration.subscription.store import TABLES, Store


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The bootstrap address of a Kafka that nobody kills."""
    port, controller = free_ports(2)
    server = KafkaServer(tmp_path_factory.mktemp("kafka"), port, controller)
    with running(server):
        yield server.bootstrap


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty Postgres, as its superuser."""
    (port,) = free_ports(1)
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), port)
    with running(server):
        yield server.url("postgres")


@pytest.fixture
def kafka_to_kill(tmp_path: Path) -> KafkaServer:
    """A Kafka of the test's own, not started."""
    port, controller = free_ports(2)
    return KafkaServer(tmp_path / "kafka", port, controller)


@pytest.fixture
async def admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client of the shared Kafka."""
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def store(postgres: str) -> AsyncIterator[Store]:
    """Positions and effects in a schema of the test's own."""
    schema = f"t{uuid.uuid4().hex}"
    async with asyncpg.create_pool(postgres, min_size=1, max_size=4, server_settings={"search_path": schema}) as pool:
        await pool.execute(f"CREATE SCHEMA {schema}")
        await pool.execute(TABLES)
        yield Store(pool)
