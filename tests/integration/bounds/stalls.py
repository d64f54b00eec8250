"""How long the event loop is held by one turn, in processor time: what other processes do does
not count.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

LOOK_SECONDS = 0.002


class Stalls:
    """The longest turn so far."""

    longest = 0.0

    async def watch(self) -> None:
        """Look at the thread's clock each time the loop comes round."""
        before = time.thread_time()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = time.thread_time()
            self.longest = max(self.longest, now - before)
            before = now


@asynccontextmanager
async def stalls() -> AsyncIterator[Stalls]:
    """Watches the running loop."""
    found = Stalls()
    watching = asyncio.create_task(found.watch())
    await asyncio.sleep(0)
    try:
        yield found
    finally:
        watching.cancel()
