"""Steps that need one another, carried out as soon as each can be."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """`run` is called when all of `needs` are done; what it returns is shown beside the name.

    The failure of an optional step stops nothing but the optional steps that need it.
    """

    name: str
    run: Callable[[], Awaitable[str]]
    needs: tuple[str, ...] = ()
    is_optional: bool = False


@dataclass(frozen=True)
class Done:
    """A finished step; not `ok`: an optional one that failed, with the reason as its detail."""

    name: str
    detail: str
    seconds: float
    ok: bool = True


async def carry_out(steps: tuple[Step, ...], on_done: Callable[[Done], None]) -> None:
    """Run all steps; the first failure of one that is not optional cancels the others and is raised
    as it is.

    Needs are named before they are used: a step comes after those that it needs.
    """
    tasks: dict[str, asyncio.Task[bool]] = {}
    try:
        for step in steps:
            needed = [tasks[name] for name in step.needs]
            tasks[step.name] = asyncio.create_task(_run(step, needed, on_done), name=step.name)
        await asyncio.gather(*tasks.values())
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _run(
    step: Step, needed: list[asyncio.Task[bool]], on_done: Callable[[Done], None]
) -> bool:
    """Whether it was carried out."""
    before = await asyncio.gather(*(asyncio.shield(task) for task in needed))
    if step.is_optional and not all(before):
        return False
    began = time.monotonic()
    try:
        detail = await step.run()
    except Exception as error:
        if not step.is_optional:
            raise
        on_done(
            Done(step.name, str(error) or type(error).__name__, time.monotonic() - began, ok=False)
        )
        return False
    on_done(Done(step.name, detail, time.monotonic() - began))
    return True
