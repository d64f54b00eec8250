"""The relay's own connection and its Kafka, as the relay process has them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import asyncpg
import pytest

from compose.kafka.log import KafkaLog
from compose.settings import Settings
from tests.integration.subscription.conftest import store

__all__ = ["connect", "connection", "log", "store"]

Connect = Callable[[], Awaitable[asyncpg.Connection]]


@pytest.fixture
async def connect(database: str) -> AsyncIterator[Connect]:
    """Direct connections of the pipeline's role, closed at the end when they still live."""
    async with AsyncExitStack() as stack:

        async def one() -> asyncpg.Connection:
            connection = await asyncpg.connect(
                database, server_settings={"role": "headrace_pipeline"}
            )
            stack.push_async_callback(connection.close)
            return connection

        yield one


@pytest.fixture
async def connection(connect: Connect) -> asyncpg.Connection:
    """The relay's."""
    return await connect()


@pytest.fixture
async def log(settings: Settings) -> AsyncIterator[KafkaLog]:
    """The relay's producer."""
    kafka = KafkaLog(settings.kafka, settings.kafka_topic_prefix)
    yield kafka
    await kafka.stop()
