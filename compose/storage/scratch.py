"""A process's own directory for what it needs while it runs; those of the dead are removed."""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

NAMED = "headrace-scratch-"
"""Nothing else in the directory is touched, whosesoever it is."""


@contextmanager
def scratch(root: Path) -> Iterator[Path]:
    """A directory below `root`, removed at the end, and what others left there who were killed.

    Each holds a lock on its own directory, which the kernel lets go of at any death: what can be
    locked is left over.
    """
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root):  # one at a time: a directory that is not locked yet looks like a left one
        for left in sorted(root.glob(f"{NAMED}*")):
            _remove_if_left(left)
        own = Path(tempfile.mkdtemp(prefix=NAMED, dir=root)).resolve()
        handle = os.open(own, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        os.close(handle)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    handle = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _remove_if_left(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path, ignore_errors=True)
        log.info("removed %s, which a process that was killed left", path.name)
    except BlockingIOError:
        pass
    finally:
        os.close(handle)
