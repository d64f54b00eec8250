"""The whole of Headrace for a test."""

from collections.abc import AsyncIterator

import pytest

from compose.settings import Settings
from tests.acceptance.world import World, whole


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    """API, relay, consumers and projections, running."""
    async with whole(settings) as running:
        yield running
