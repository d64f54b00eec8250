"""The API alone, for commands and what is read back of them."""

from collections.abc import AsyncIterator

import pytest

from compose.settings import Settings
from tests.acceptance.world import World, api_only


@pytest.fixture
async def api(database_settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The API without Kafka and without any other process."""
    async with api_only(database_settings) as world:
        if request.node.get_closest_marker(
            "foreign"
        ):  # rows that are no events are shown as they are
            world.client.event_hooks = {}
        yield world
