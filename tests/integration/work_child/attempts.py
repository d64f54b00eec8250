"""Starting attempts from tests, and watching processes go."""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from consumers.work.child_result import ChildRequest, ChildResult, Finished, OnProgress
from consumers.work.limits import ResourceLimits
from consumers.work.subprocess_runner import run_child

ENTRY = "tests.integration.work_child.entry"


def ignore(_: object) -> None:
    return None


async def attempt(
    kind: str,
    payload: Mapping[str, Any],
    directory: Path,
    limits: ResourceLimits | None = None,
    on_progress: OnProgress = ignore,
    cancelled: asyncio.Event | None = None,
) -> ChildResult:
    """As the worker does it, with the entry point that the worker has."""
    request = ChildRequest(kind, payload, directory)
    return await run_child(
        request, limits or ResourceLimits(), on_progress, cancelled or asyncio.Event()
    )


async def misbehave(
    kind: str,
    directory: Path,
    limits: ResourceLimits | None = None,
    on_progress: OnProgress = ignore,
    cancelled: asyncio.Event | None = None,
    payload: Mapping[str, Any] | None = None,
) -> ChildResult:
    request = ChildRequest(kind, payload or {}, directory)
    return await run_child(
        request, limits or ResourceLimits(), on_progress, cancelled or asyncio.Event(), module=ENTRY
    )


def finished(result: ChildResult) -> Mapping[str, Any]:
    assert isinstance(result, Finished), result
    return result.result


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        await asyncio.sleep(0.01)
