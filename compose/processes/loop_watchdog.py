"""A thread that ends the process when its event loop is blocked: heartbeats, stops and time-outs
all need the loop.
"""

import asyncio
import faulthandler
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

STUCK = 70
"""The exit status of a process that was stuck (EX_SOFTWARE); whoever started it starts it again."""


@contextmanager
def watched(
    still_seconds: float = 30.0,
    end_seconds: float = 30.0,
    look_seconds: float = 1.0,
    leave: Callable[[int], None] = os._exit,
) -> Iterator[None]:
    """Watch the running loop. Blocked for `still_seconds`, or not gone `end_seconds` after the
    block: exit status 70.

    The positions are in Postgres, so nothing is lost; the stacks of all threads go to standard
    error first.
    """
    loop = asyncio.get_running_loop()
    over = threading.Event()
    ticks = [0]

    def tick() -> None:
        ticks[0] += 1

    def give_up(what: str) -> None:
        log.critical(
            "%s: this process exits with status %d, to be restarted; its stacks:", what, STUCK
        )
        faulthandler.dump_traceback(file=sys.__stderr__ or sys.stderr)
        leave(STUCK)

    def look() -> None:
        still, seen = 0.0, -1
        while True:
            began = time.monotonic()
            if over.wait(look_seconds):
                break
            frozen = (
                time.monotonic() - began > 3 * look_seconds
            )  # the whole process was stopped, or the machine
            still = 0.0 if frozen or ticks[0] != seen else still + look_seconds
            if still >= still_seconds:
                return give_up(f"the event loop has been blocked for {still:.0f} s")
            seen = ticks[0]
            if not loop.is_closed():
                loop.call_soon_threadsafe(tick)
        time.sleep(end_seconds)
        return give_up(f"it should have ended {end_seconds:.0f} s ago")

    threading.Thread(target=look, name="loop watch", daemon=True).start()
    try:
        yield
    finally:
        over.set()
