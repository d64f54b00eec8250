"""kill -9 of each process in mid-path leads to the same final state by itself."""

import asyncio
import os
import random
import time
from collections.abc import Callable

import pytest

from tests.chaos.checker import check
from tests.chaos.conftest import LONG
from tests.chaos.evidence import final_state, settled
from tests.chaos.live_stack import LiveStack
from tests.chaos.report import report
from tests.chaos.traffic import Traffic, all_told, flowing
from tests.chaos.victims import plan, strike, whole_again

LONG_KILLS = int(os.environ.get("HEADRACE_TEST_KILLS", "60"))


@pytest.mark.xdist_group("chaos")
@pytest.mark.timeout(1800 if LONG else 600)
async def test_every_process_is_killed_and_nothing_is_lost_or_done_twice(
    stack: LiveStack,
    history: list[Traffic],
    dataset_id: str,
    seed: int,
    tell: Callable[[str], None],
) -> None:
    victims = plan(random.Random(seed), LONG_KILLS if LONG else 0)
    before = {one.name: one.restarts for one in stack.status.processes}
    recoveries: list[tuple[str, asyncio.Task[float]]] = []
    print(f"\nseed {seed}")
    async with (
        stack.client() as client,
        asyncio.TaskGroup() as group,
        flowing(client, dataset_id, seed) as traffic,
    ):
        history.append(traffic)
        for victim in victims:
            await traffic.more(20, seconds=60)
            began, whole = await strike(stack, victim, traffic)
            print(f"{victim} killed, up again after {time.monotonic() - began:.1f} s")
            recoveries.append((victim, group.create_task(whole_again(victim, began, whole))))
        await asyncio.gather(*(task for _, task in recoveries))
    told = all_told(history)
    drained_seconds, _ = await settled(stack, told, seconds=120)
    final = await final_state(stack)
    found = check(told, final)
    worst: dict[str, float] = {}
    for victim, task in recoveries:
        worst[victim] = max(worst.get(victim, 0.0), task.result())
    tell(report("kills", traffic, final, found, worst, drained_seconds))
    assert found == []
    assert traffic.surprises == []
    restarts = {one.name: one.restarts - before[one.name] for one in stack.status.processes}
    assert restarts == {name: victims.count(name) for name in restarts}
