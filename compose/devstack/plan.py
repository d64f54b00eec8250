"""Steps that need one another, carried out as soon as each can be."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """`run` is called when all of `needs` are done; what it returns is shown beside the name."""

    name: str
    run: Callable[[], Awaitable[str]]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """A finished step."""

    name: str
    detail: str
    seconds: float


async def carry_out(steps: tuple[Step, ...], on_done: Callable[[Done], None]) -> None:
    """Run all steps; the first failure cancels the others and is raised as it is.

    Needs are named before they are used: a step comes after those that it needs.
    """
    tasks: dict[str, asyncio.Task[None]] = {}
    try:
        for step in steps:
            needed = [tasks[name] for name in step.needs]
            tasks[step.name] = asyncio.create_task(_run(step, needed, on_done), name=step.name)
        await asyncio.gather(*tasks.values())
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _run(step: Step, needed: list[asyncio.Task[None]], on_done: Callable[[Done], None]) -> None:
    await asyncio.gather(*(asyncio.shield(task) for task in needed))
    began = time.monotonic()
    detail = await step.run()
    on_done(Done(step.name, detail, time.monotonic() - began))
