"""The bench of a test."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.postgres.connections import engine
from compose.settings import Settings
from tests.integration.runner.bench import Bench


@pytest.fixture
def bench(pipeline: AsyncEngine, database_settings: Settings) -> Bench:
    """Postgres and no Kafka: deliveries are handed in."""
    return Bench(pipeline, database_settings)


@pytest.fixture
async def owner(database: str) -> AsyncIterator[AsyncEngine]:
    """Connections of the owner's role, which may lock tables and move the clock."""
    pool = engine(database, "headrace_owner", "test", pool_size=2)
    yield pool
    await pool.dispose()
