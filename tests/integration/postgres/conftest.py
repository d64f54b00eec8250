"""The bench of the consumers."""

from tests.integration.runner.conftest import bench

__all__ = ["bench"]
