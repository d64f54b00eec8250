"""With Kafka stopped webhooks are still accepted, and arrive in order per source when it is
back.
"""

import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.chaos.checker import check
from tests.chaos.conftest import LONG
from tests.chaos.evidence import ask, final_state, settled
from tests.chaos.live_stack import LiveStack
from tests.chaos.report import report
from tests.chaos.storm_strikes import kafka_away
from tests.chaos.traffic import Traffic, all_told, flowing
from tests.eventually import eventually

# Past the producer's request timeout (10 s): a send that was under way is unknown, and may land
# later.
STOPPED_SECONDS = 45.0 if LONG else 12.0
DEAD_SECONDS = 30.0 if LONG else 4.0
CONFIRMED = "SELECT WHERE NOT EXISTS (SELECT FROM outbox WHERE seq <= $1)"
Stopped = Callable[[LiveStack], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def frozen(stack: LiveStack) -> AsyncIterator[None]:
    """It lives, holds its connections and its port, and answers nothing."""
    pid = stack.pid("kafka")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.xdist_group("chaos")
@pytest.mark.parametrize(
    ("stopped", "seconds"), [(frozen, STOPPED_SECONDS), (kafka_away, DEAD_SECONDS)]
)
async def test_webhooks_are_accepted_without_kafka_and_arrive_in_order(
    stack: LiveStack,
    history: list[Traffic],
    dataset_id: str,
    seed: int,
    tell: Callable[[str], None],
    stopped: Stopped,
    seconds: float,
) -> None:
    async with (
        stack.client() as client,
        flowing(client, dataset_id, seed, job_every_seconds=600) as traffic,
    ):
        history.append(traffic)
        await traffic.more(30, seconds=20)
        async with stopped(stack):
            began, before = time.monotonic(), traffic.accepted
            while time.monotonic() - began < seconds:
                await traffic.more(10, seconds=20)
            waiting = (await ask(stack, "SELECT count(*) FROM outbox"))[0][0]
            missed = traffic.accepted - before
            refused = dict(traffic.refused)
        back = time.monotonic()
        newest = (await ask(stack, "SELECT max(seq) FROM events"))[0][0]
        await eventually(lambda: ask(stack, CONFIRMED, newest), seconds=90)
        await traffic.more(30, seconds=20)
    recovery = {"kafka": time.monotonic() - back}
    told = all_told(history)
    drained_seconds, _ = await settled(stack, told, seconds=90)
    final = await final_state(stack)
    found = check(told, final)
    title = f"kafka {stopped.__name__} for {seconds:.0f} s, {missed} webhooks accepted meanwhile"
    tell(report(title, traffic, final, found, recovery, drained_seconds))
    assert found == []
    assert traffic.surprises == []
    assert refused == {}
    assert waiting >= missed > 0
