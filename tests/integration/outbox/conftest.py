"""A door on the test's database, and a look behind it."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from compose.failures import door_refusal
from compose.postgres.connections import BoundedPool, asyncpg_pool
from producers.outbox.accept import Accept
from tests.harness.database import Cluster


@pytest.fixture
async def pool(database: str) -> AsyncIterator[BoundedPool]:
    """The accept's own connections, as the API process has them."""
    async with asyncpg_pool(database, "headrace_pipeline", "accept", 6) as connections:
        yield connections


@pytest.fixture
async def accept(pool: BoundedPool) -> AsyncIterator[Accept]:
    """One API process's group commit."""
    door = Accept(pool, door_refusal, writers=2)
    yield door
    await door.drain()


@pytest.fixture
async def behind(cluster: Cluster, database: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection to the test's database: it sees who waits for whom, and can kill."""
    url = urlunsplit(urlsplit(cluster.superuser_url)._replace(path=urlsplit(database).path))
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()
