"""The API alone, for what the door and the sources decide by themselves."""

from collections.abc import AsyncIterator

import pytest

from compose.settings import Settings
from tests.acceptance.ingress.listening import Terminal, listening
from tests.acceptance.world import World, api_only


@pytest.fixture
async def api(database_settings: Settings) -> AsyncIterator[World]:
    """The API without Kafka and without any other process."""
    async with api_only(database_settings) as world:
        yield world


@pytest.fixture
async def terminal(api: World) -> AsyncIterator[Terminal]:
    """Somebody with the key, at a terminal."""
    async with listening(api) as found:
        yield found
