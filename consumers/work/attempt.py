"""One attempt of a task: what it needs is prepared, then it runs in a child."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from consumers.ports import ObjectMissing
from consumers.work.child_result import ChildResult, Crashed, Progress, TenantRefused
from consumers.work.subprocess_runner import run_child
from consumers.work.task import Task, Unusable
from consumers.work.work_item import WorkItem

PROGRESS_SECONDS = 0.5


async def run_task(
    task: Task,
    item: WorkItem,
    directory: Path,
    on_progress: Callable[[Progress], Awaitable[None]],
    cancelled: asyncio.Event,
    is_transient: Callable[[BaseException], bool],
) -> ChildResult:
    """What the attempt ends with; `on_progress` is called every PROGRESS_SECONDS at most."""
    said = 0.0

    async def progressed(progress: Progress) -> None:
        nonlocal said
        now = asyncio.get_running_loop().time()
        if now - said < PROGRESS_SECONDS:
            return
        said = now
        await on_progress(progress)

    try:
        request, limits = await task.prepare(item, directory)
    except Unusable as unusable:
        return TenantRefused("user_data", unusable.code, unusable.message)
    except ObjectMissing as error:
        return Crashed(f"the object {error} is gone", "object_missing")
    except Exception as error:
        if not is_transient(error):
            raise
        return Crashed(f"what it needs is away: {error}", "object_store_away")
    return await run_child(request, limits, progressed, cancelled)


async def set_after(first: asyncio.Event, then: asyncio.Event) -> None:
    """Set `then` once `first` is set."""
    await first.wait()
    then.set()
