"""A process stops when it is asked to, and tries again while the world is unwell."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from compose.failures import is_transient
from compose.kafka.subscription import Subscription

log = logging.getLogger(__name__)


@asynccontextmanager
async def stopping() -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    try:
        yield event
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def until_stopped(stop: asyncio.Event, run: Callable[[], Awaitable[None]]) -> None:
    """Run again and again while what it raises is the world's doing; anything else is raised."""
    pause = 0.2
    while not stop.is_set():
        began = asyncio.get_running_loop().time()
        try:
            await run()
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("again in %.1f s: %s: %s", pause, type(error).__name__, error)
        else:
            return
        if asyncio.get_running_loop().time() - began > 30:
            pause = 0.2
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        pause = min(pause * 2, 5.0)


async def deliver(subscription: Subscription, stop: asyncio.Event) -> None:
    """Run a subscription until `stop`; the delivery in hand is finished first."""

    async def end() -> None:
        await stop.wait()
        subscription.stop()

    ending = asyncio.create_task(end())
    try:
        await subscription.run()
    finally:
        ending.cancel()
