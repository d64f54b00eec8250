"""The bench of a test."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.projections.bench import Bench


@pytest.fixture
def bench(pipeline: AsyncEngine) -> Bench:
    """Postgres and no Kafka: deliveries are handed in."""
    return Bench(pipeline)


@pytest.fixture(params=["jobs", "metric_trends", "usage"])
def view(request: pytest.FixtureRequest) -> str:
    """Every view."""
    return str(request.param)
