"""Wait for something to become true, with a deadline; the last answer is in the failure.

Deadlines are only there so that a test ends: they are written for an idle machine and three times
as long.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
SLOWER = 3


async def eventually(
    ask: Callable[[], Awaitable[T]], holds: Callable[[T], object] = bool, *, seconds: float = 30.0
) -> T:
    """Ask until `holds(answer)` is true and return that answer; AssertionError after three times
    `seconds`.
    """
    seconds *= SLOWER
    deadline = time.monotonic() + seconds
    while True:
        answer = await ask()
        if holds(answer):
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s; the last answer was {answer!r}")
        await asyncio.sleep(0.05)
