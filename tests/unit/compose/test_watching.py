"""The thread that watches the event loop: it ends a process that is stuck, and no other."""

import asyncio
import time

import pytest

from compose.processes.loop_watchdog import STUCK, watched


def block(until: list[int], seconds: float) -> None:
    """Keep the loop until somebody ends this process, or for so long."""
    deadline = time.monotonic() + seconds
    while not until and time.monotonic() < deadline:
        pass


async def test_a_blocked_loop_ends_the_process(caplog: pytest.LogCaptureFixture) -> None:
    codes: list[int] = []
    with watched(0.3, look_seconds=0.05, leave=codes.append):
        block(codes, 20.0)
    assert codes == [STUCK]
    assert "the event loop has been blocked" in caplog.text


async def test_a_loop_that_comes_back_in_time_is_left_alone() -> None:
    codes: list[int] = []
    with watched(2.0, look_seconds=0.05, leave=codes.append):
        for _ in range(5):
            block(codes, 0.2)
            await asyncio.sleep(0)
    assert codes == []


async def test_a_process_that_does_not_end_is_ended() -> None:
    codes: list[int] = []
    with watched(20.0, end_seconds=0.1, look_seconds=0.05, leave=codes.append):
        pass
    block(codes, 20.0)
    assert codes == [STUCK]
