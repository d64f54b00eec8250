"""What the supervisor keeps alive: one process, and how it is started, found ready and stopped."""

import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compose.devstack.readiness import READY_SECONDS, alive_one_second
from compose.devstack.subprocesses import Server

STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Child:
    """One process to keep alive. Of two, the one with the lower `rank` is stopped later."""

    name: str
    command: Callable[[], list[str]]
    environment: Callable[[], dict[str, str]]
    directory: Path
    rank: int = 1
    ready: Callable[[], Coroutine[Any, Any, None]] = alive_one_second
    prepare: Callable[[], None] = lambda: None
    stop_signal: signal.Signals = signal.SIGTERM
    user: str | None = None
    stop_seconds: float = STOP_SECONDS
    is_optional: bool = False  # tried again for ever, though it never got ready

    @classmethod
    def of_server(cls, name: str, server: Server, *, is_optional: bool = False) -> "Child":
        """A server that everything else needs, or nearly everything."""
        return cls(
            name,
            server.command,
            server.environment,
            server.data_dir,
            rank=0,
            ready=lambda: server.wait_ready(READY_SECONDS),
            prepare=server.prepare,
            stop_signal=server.stop_signal,
            user=server.user,
            is_optional=is_optional,
        )
