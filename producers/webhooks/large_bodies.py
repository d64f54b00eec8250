"""Judging large bodies off the event loop, one at a time for each source.

A stranger who knows a source's URL can send forged megabytes to it. They are judged one after the
other, so other sources go ahead of them; the source's own sender waits its turn among them, and is
never refused for their sake.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

AT_ONCE_BYTES = 64 << 10
"""Up to here a digest takes less than the way to a thread and back."""

T = TypeVar("T")


class LargeBodies:
    """Runs work on large bodies in threads of its own."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._turns: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    async def run(self, source_id: UUID, work: Callable[[], T]) -> T:
        """Return what `work` returns, when it is the source's turn."""
        turn = self._turns.get(source_id)
        if turn is None:
            turn = self._turns[source_id] = asyncio.Lock()
        async with turn:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
