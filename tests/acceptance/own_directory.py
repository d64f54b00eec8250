"""A directory for a stack that outlives single tests."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def own_directory(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Not below pytest's own: a second pytest that starts closes that one to the user that Postgres
    runs as.

    It is kept, with its logs, when a test has failed.
    """
    path = Path(tempfile.mkdtemp(prefix="headrace-tests-"))
    yield path
    if request.session.testsfailed:
        print(f"kept with its logs: {path}")
    else:
        shutil.rmtree(path)
