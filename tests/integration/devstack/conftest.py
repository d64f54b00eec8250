"""A data directory for one test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A directory that is gone afterwards.

    Not `tmp_path`: another pytest that starts meanwhile closes its parent to other users, one of
    whom PostgreSQL runs as when root runs the tests; and the servers' files are too big to be kept.
    """
    with tempfile.TemporaryDirectory(prefix="headrace-") as directory:
        yield Path(directory)
