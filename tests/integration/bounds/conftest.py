"""The bench of the runner's tests, with the workers of the real processes beside it."""

import pytest

from tests.integration.bounds.workshop import Workshop
from tests.integration.runner.bench import Bench
from tests.integration.runner.conftest import bench, owner

__all__ = ["bench", "owner", "workshop"]


@pytest.fixture
def workshop(bench: Bench) -> Workshop:
    """Runners, queues and children on the test's database and object store."""
    return Workshop(bench)
