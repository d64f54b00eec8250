"""The bench of the runner's tests, and the cases."""

import pytest

from tests.integration.consumers.cases import CASES, Case
from tests.integration.runner.conftest import bench, owner

__all__ = ["bench", "case", "owner"]


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    """Every consumer, every event that it reads."""
    found: Case = request.param
    return found
