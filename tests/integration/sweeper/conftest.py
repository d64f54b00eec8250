"""A database with rows to sweep."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from compose.settings import Settings
from tests.factories import new_id
from tests.integration.sweeper.rows import Rows


@pytest.fixture
async def rows(database: str, database_settings: Settings) -> AsyncIterator[Rows]:
    """Written and looked at as the owner."""
    connection = await asyncpg.connect(database, server_settings={"role": "headrace_owner"})
    yield Rows(connection, database_settings, new_id())
    await connection.close()
