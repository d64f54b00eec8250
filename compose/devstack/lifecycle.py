"""A stack seen from outside: started in the background, waited for, stopped."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from compose.devstack.orphans import AlreadyRunningError, exclusive, stop_leftovers
from compose.devstack.status import RunFiles, StackStatus
from compose.devstack.subprocesses import tail

START_SECONDS = 300.0  # the first start fetches the jars
STOP_SECONDS = 90.0
POLL_SECONDS = 0.1


class NotStartedError(Exception):
    """The stack did not come up; the message is the end of its log."""


def start_detached(
    data_dir: Path,
    on_line: Callable[[str], None] = lambda _: None,
    timeout_seconds: float = START_SECONDS,
) -> StackStatus:
    """Start a stack that outlives the caller and return when it runs; NotStartedError.

    `on_line` hears of each line of its progress. When one is starting already, wait for that one.
    """
    files = RunFiles(data_dir.absolute())
    files.logs.mkdir(parents=True, exist_ok=True)
    log = files.logs / "up.log"
    command = [sys.executable, "-P", "-m", "compose.devstack", str(files.data_dir)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + timeout_seconds
    with log.open(encoding="utf-8", errors="replace") as progress:
        while time.monotonic() < deadline:
            ended = process.poll()
            for line in progress:
                on_line(line.rstrip())
            status = files.status()
            if status.state == "running":
                return status
            if ended is not None and files.supervisor() is None:
                raise NotStartedError(tail(log))
            time.sleep(POLL_SECONDS)
    process.terminate()
    raise NotStartedError(f"it was not ready within {timeout_seconds:.0f} s:\n{tail(log)}")


def stop_stack(data_dir: Path, timeout_seconds: float = STOP_SECONDS) -> list[str]:
    """Stop a running stack and wait for its end, and end what a killed one left.

    Returns the names of what was stopped, `[]` when nothing ran; TimeoutError.
    """
    files = RunFiles(data_dir.absolute())
    supervisor = files.supervisor()
    stopped = []
    if supervisor is not None:
        stopped = [process.name for process in files.status().processes if process.pid is not None]
        supervisor.terminate()
        try:
            supervisor.wait(timeout_seconds)
        except psutil.TimeoutExpired as error:
            raise TimeoutError(
                f"the supervisor (pid {supervisor.pid}) did not end; see {files.logs}"
            ) from error
    if not files.directory.exists():
        return stopped
    try:
        with exclusive(files):
            return stopped + stop_leftovers(files)
    except AlreadyRunningError:
        return stopped  # another one began in this moment
