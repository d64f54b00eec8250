"""Who is killed, at which moment, and when the path through it is whole again."""

import os
import random
import signal
import time
from collections.abc import Awaitable, Callable

from compose.failures import is_transient
from tests.chaos.evidence import ask
from tests.chaos.live_stack import LiveStack
from tests.chaos.traffic import Traffic
from tests.eventually import eventually

SECONDS = 90.0
SHORT = (
    "child",
    "api",
    "finalization",
    "relay",
    "billing",
    "kafka",
    "projections",
    "ingest",
    "postgres",
    "training",
)
ATTEMPTS = {"child", "training"}  # their death burns an attempt of a job, which has three
READS = {"projections": "projection.usage"}
CONFIRMED = """
    SELECT coalesce(NOT EXISTS (SELECT FROM outbox WHERE seq = next), false)
    FROM (SELECT min(seq) AS next FROM events WHERE seq > $1) AS events
"""
Whole = Callable[[], Awaitable[bool]]


def plan(dice: random.Random, more: int) -> list[str]:
    """Each once, then `more` at random; no job is made to lose all its attempts."""
    order = [*SHORT]
    for _ in range(more):
        spared = ATTEMPTS if ATTEMPTS & {*order[-3:]} else set()
        order.append(dice.choice([one for one in SHORT if one not in spared]))
    return order


async def strike(stack: LiveStack, victim: str, traffic: Traffic) -> tuple[float, Whole]:
    """Kill a victim in mid-path.

    When that was, and a question that says whether the path is whole again.
    """
    if victim == "child":
        return await _strike_child(stack)
    if victim == "finalization":  # it is busy for moments only: hold it until a job waits for it
        stack.signal(victim, signal.SIGSTOP)
        await eventually(
            lambda: ask(stack, "SELECT FROM jobs WHERE state = 'finalizing'"), seconds=60
        )
    if victim == "training":
        await _child(stack)
    whole = await _progress(stack, victim, traffic)
    began = time.monotonic()
    await stack.kill(victim)
    return began, whole


async def whole_again(victim: str, began: float, whole: Whole) -> float:
    """Seconds from the kill until the path through the victim moved on."""

    async def asked() -> bool:
        try:
            return await whole()
        except Exception as error:
            if not is_transient(error):
                raise
            return False  # another victim is down

    try:
        await eventually(asked, seconds=SECONDS)
    except AssertionError as error:
        raise AssertionError(
            f"the path through {victim} was not whole again within {SECONDS:.0f} s"
        ) from error
    return time.monotonic() - began


async def _progress(stack: LiveStack, victim: str, traffic: Traffic) -> Whole:
    if victim in ("api", "postgres"):
        before = len(traffic.answers)

        async def accepts() -> bool:
            return len(traffic.answers) > before + 1  # one may have been under way

        return accepts
    if victim in ("relay", "kafka"):
        (newest,) = await ask(stack, "SELECT max(seq) FROM events")

        async def confirms() -> bool:
            return bool((await ask(stack, CONFIRMED, newest[0]))[0][0])

        return confirms
    consumer = READS.get(victim, victim)
    query = "SELECT coalesce(sum(next), 0) FROM positions WHERE consumer = $1"
    first = (await ask(stack, query, consumer))[0][0]

    async def moves() -> bool:
        return bool((await ask(stack, query, consumer))[0][0] > first)

    return moves


async def _child(stack: LiveStack) -> int:
    """The number of a training child at work."""

    async def found() -> list[int]:
        return [one.pid for one in stack.children("training")]

    return (await eventually(found, seconds=60))[0]


async def _strike_child(stack: LiveStack) -> tuple[float, Whole]:
    pid = await _child(stack)
    query = "SELECT subject_id, attempt FROM work WHERE queue = 'training' AND state = 'leased'"
    ((job, attempt),) = await ask(stack, query)
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)

    async def tried_again() -> bool:
        asked = "SELECT FROM work WHERE subject_id = $1 AND queue = 'training' AND attempt > $2"
        return bool(await ask(stack, asked, job, attempt))

    return began, tried_again
