"""The owner's connections, which move the clock."""

from tests.integration.runner.conftest import bench, owner

__all__ = ["bench", "owner"]
