"""Kill -9 at a named step: with `CRASH_AT=name:n` a process dies when it reaches that step for
the n-th time.
"""

import os
import signal
from collections.abc import Callable
from functools import cache

from schemas.ports import Failpoint, no_failpoint

POINTS = (
    "door.body_kept",
    "accept.taken",
    "accept.stored",
    "accept.repeats_noted",
    "relay.read",
    "relay.sent",
    "relay.struck",
    "runner.applied",
    "runner.committed",
    "work.started",
    "work.finishing",
    "work.finished",
    "engine.folded",
    "engine.committed",
    "grow.held",
    "grow.drained",
    "grow.added",
    "restore.held",
    "restore.listed",
    "restore.done",
)
"""Every step at which a process can be killed."""


@cache
def failpoints() -> Failpoint:
    """What the parts of this process tell their steps; nothing comes of it without CRASH_AT."""
    asked = os.environ.get("CRASH_AT")
    return no_failpoint if not asked else _counting(*_parsed(asked), _die)


def _parsed(asked: str) -> tuple[str, int]:
    """The step and the count.

    Raises ValueError, or a mistyped name would never be reached and look survived.
    """
    name, colon, count = asked.partition(":")
    if name not in POINTS:
        raise ValueError(f"CRASH_AT names {name!r}, which is no step of any process")
    if not colon or not count.isdecimal() or int(count) < 1:
        raise ValueError(f"CRASH_AT is name:n with n from 1 on, not {asked!r}")
    return name, int(count)


def _counting(name: str, count: int, die: Callable[[str], None]) -> Failpoint:
    left = count

    def failpoint(step: str) -> None:
        nonlocal left
        if step == name:
            left -= 1
            if left == 0:
                die(step)

    return failpoint


def _die(step: str) -> None:
    os.write(2, f"killed at {step}\n".encode())  # not by the log, which may be buffered
    os.kill(os.getpid(), signal.SIGKILL)
