"""Waiting for what another process does: asked again and again until a deadline."""

import time
from collections.abc import Callable

import psutil


def until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Return as soon as `condition` holds; AssertionError naming `what` otherwise."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; a zombie does not."""
    return [
        process
        for process in processes
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]


def ended(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs any more."""
    try:
        return not living(processes)
    except psutil.NoSuchProcess:  # it went between the two questions
        return ended([process for process in processes if process.is_running()])
