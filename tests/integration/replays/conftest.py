"""The field of a test."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.settings import Settings
from tests.acceptance.world import api_only
from tests.integration.replays.field import Field
from tests.integration.runner.bench import Bench


@pytest.fixture
async def field(pipeline: AsyncEngine, database_settings: Settings) -> AsyncIterator[Field]:
    """The API and Postgres."""
    bench = Bench(pipeline, database_settings)
    async with api_only(database_settings) as world:
        yield Field(
            bench, world, await bench.value("SELECT tenant_id FROM tenants WHERE name = 'first'")
        )
