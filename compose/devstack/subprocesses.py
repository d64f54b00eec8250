"""How a child process is started, so that it can neither outlive its parent nor hear the
terminal's Ctrl-C.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, Protocol

PR_SET_PDEATHSIG = 1
READY_SECONDS = 60.0
STOP_SECONDS = 20.0


class Server(Protocol):
    """A server that the stack can prepare, start, wait for and stop."""

    @property
    def data_dir(self) -> Path:
        """Everything that it keeps, its log included."""

    @property
    def stop_signal(self) -> signal.Signals:
        """What ends it in order."""

    @property
    def user(self) -> str | None:
        """The system user that it runs as, when that is not the current one."""

    def prepare(self) -> None:
        """Create on disk what is not there yet; blocks."""

    def command(self) -> list[str]:
        """The program and its arguments; it stays in the foreground."""

    def environment(self) -> dict[str, str]:
        """All of its environment variables."""

    async def wait_ready(self, timeout_seconds: float) -> None:
        """Return when it answers; TimeoutError otherwise."""


class ChildFailedError(Exception):
    """A child ended, or its time was over, before it was ready.

    The message ends with the last lines of its log.
    """


def spawn_options(stop_signal: signal.Signals, user: str | None = None) -> dict[str, Any]:
    """Keyword arguments for `subprocess.Popen` and `asyncio.create_subprocess_exec`.

    The child leads its own session, and what it writes is its user's alone. On Linux the kernel
    sends it `stop_signal` when the THREAD that spawns it ends, kill -9 of the parent included:
    spawn from the main thread.
    """
    options: dict[str, Any] = {
        "start_new_session": True,
        "preexec_fn": _parent_death(stop_signal),
        "umask": 0o077,
    }
    if user is not None:
        options |= {"user": user, "group": user, "extra_groups": []}
    return options


def _parent_death(stop_signal: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()
    number = int(stop_signal)

    def before_exec() -> None:
        # Runs after the change of user, which would clear the signal again.
        prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died in between, and nobody would tell us
            os.kill(os.getpid(), signal.SIGKILL)

    return before_exec


def sweep_group(pid: int) -> None:
    """End what a dead child left in its own process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def tail(log: Path, lines: int = 20) -> str:
    """The last lines of a log, '' when there is none."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def start(server: Server, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a prepared server; its output goes to `output`."""
    return subprocess.Popen(
        server.command(),
        env=server.environment(),
        cwd=server.data_dir,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        **spawn_options(server.stop_signal, server.user),
    )


@contextlib.contextmanager
def running(
    server: Server, timeout_seconds: float = READY_SECONDS
) -> Iterator[subprocess.Popen[bytes]]:
    """Prepare, start and wait for `server`, hand out its process, and stop exactly that one.

    Output goes to `<data_dir>/server.log`. ChildFailedError when it ends before it is ready. May be
    called with or without a running event loop.
    """
    server.prepare()
    log = server.data_dir / "server.log"
    with log.open("ab") as output:
        process = start(server, output)
        try:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(
                    lambda: asyncio.run(_ready(server, process, log, timeout_seconds))
                ).result()
            yield process
        finally:
            stop(process, server.stop_signal)


async def _ready(
    server: Server, process: subprocess.Popen[bytes], log: Path, timeout_seconds: float
) -> None:
    waiting = asyncio.create_task(server.wait_ready(timeout_seconds))
    try:
        while not (await asyncio.wait({waiting}, timeout=0.05))[0]:
            if process.poll() is not None:
                raise ChildFailedError(
                    f"it ended with {process.returncode} before it was ready:\n{tail(log)}"
                )
        waiting.result()
    finally:
        waiting.cancel()


def stop(
    process: subprocess.Popen[bytes],
    stop_signal: signal.Signals,
    timeout_seconds: float = STOP_SECONDS,
) -> float:
    """End `process` in order, by force after the timeout; returns the seconds that it took."""
    began = time.monotonic()
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    sweep_group(process.pid)
    return time.monotonic() - began
