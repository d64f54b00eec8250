"""The bench of the runner's tests, and an object store that can be away."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from compose.settings import Settings
from compose.storage.object_store_url import open_objects
from tests.integration.object_store.away import Store
from tests.integration.runner.conftest import bench, owner

__all__ = ["bench", "owner"]


@pytest.fixture
def database_settings(database_settings: Settings) -> Settings:
    """A lease that a test can wait for."""
    return database_settings.model_copy(update={"lease_seconds": 0.9})


@pytest.fixture
def store(database_settings: Settings) -> Store:
    """The directory of the object store, made as a process makes it."""
    open_objects(database_settings.object_store)
    return Store(Path(urlsplit(database_settings.object_store).path))
