"""Directories of servers, which are not below pytest's own.

A second pytest that starts closes that one to the user that Postgres runs as when root runs the
tests.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def server_directory() -> Iterator[Path]:
    """A directory that is gone afterwards, whatever happens."""
    prefix = "headrace-test-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as path:
        yield Path(path)


@contextmanager
def own_directory(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory for a stack; it is kept, with its logs, when a test has failed."""
    path = Path(tempfile.mkdtemp(prefix="headrace-tests-"))
    yield path
    if request.session.testsfailed:
        print(f"kept with its logs: {path}")
    else:
        shutil.rmtree(path)
