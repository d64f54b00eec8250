"""What a killed supervisor left behind is ended before the next start.

One supervisor per data directory.
"""

import contextlib
import fcntl
from collections.abc import Iterator

import psutil

from compose.devstack.status import ChildIdentity, RunFiles
from compose.devstack.subprocesses import STOP_SECONDS, sweep_group


class AlreadyRunningError(Exception):
    """Another supervisor holds this data directory."""


@contextlib.contextmanager
def exclusive(files: RunFiles) -> Iterator[None]:
    """Hold the data directory for this process; AlreadyRunningError.

    The kernel lets go of it at any death.
    """
    files.directory.mkdir(parents=True, exist_ok=True)
    with files.lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(f"a stack already runs in {files.data_dir}") from error
        yield


def stop_leftovers(files: RunFiles, timeout_seconds: float = STOP_SECONDS) -> list[str]:
    """End the children of a dead supervisor, last started first; returns the names of those that
    lived.

    Call it inside `exclusive`. A process is recognised by its number and its creation time
    together.
    """
    pids = files.pids()
    if pids is None or pids.supervisor.process() is not None:
        return []
    return [child.name for child in reversed(pids.children) if _stop(child, timeout_seconds)]


def _stop(child: ChildIdentity, timeout_seconds: float) -> bool:
    process = child.process()
    if process is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(child.signal)
        try:
            process.wait(timeout_seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(timeout_seconds)
    sweep_group(child.pid)
    return True
