"""The bench of the runner's tests, and sources that gather rows."""

import pytest

from tests.integration.runner.bench import Bench
from tests.integration.runner.conftest import bench, owner
from tests.integration.streams.gathering import Gathering

__all__ = ["bench", "gathering", "owner"]


@pytest.fixture
def gathering(bench: Bench) -> Gathering:
    """Ingest and what seals, on the test's database and object store."""
    return Gathering(bench)
