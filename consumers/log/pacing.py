"""Long work on the event loop in slices: heartbeats, leases and other tenants live on the same
loop.
"""

import asyncio
import time

SLICE_SECONDS = 0.05


class Pace:
    """Lets the loop turn when a slice of time is used up.

    Asked between two steps, it costs next to nothing.
    """

    def __init__(self) -> None:
        self._since = time.perf_counter()

    async def turn(self) -> None:
        """Return at once, or after the others had their turn."""
        if time.perf_counter() - self._since > SLICE_SECONDS:
            await asyncio.sleep(0)
            self._since = time.perf_counter()
