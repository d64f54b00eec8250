"""Large bodies are judged in threads: one of a source at a time, and no source waits for
another's.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from producers.webhooks.large_bodies import LargeBodies


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """As many as the door has."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


async def test_a_flood_to_one_source_waits_for_itself_alone(threads: ThreadPoolExecutor) -> None:
    large, flooded, other = LargeBodies(threads), uuid4(), uuid4()
    go_on = threading.Event()
    at_once: list[int] = []
    running = threading.Semaphore(1)

    def forged() -> bool:
        alone = running.acquire(blocking=False)
        at_once.append(1)
        go_on.wait(10)
        if alone:
            running.release()
        return alone

    flood = [asyncio.create_task(large.run(flooded, forged)) for _ in range(20)]
    async with asyncio.timeout(10):
        assert await large.run(other, lambda: "judged") == "judged"
    assert len(at_once) <= 1, "nineteen wait, and hold no thread"
    go_on.set()

    assert await asyncio.gather(*flood) == [True] * 20


async def test_a_turn_is_given_on_when_one_breaks(threads: ThreadPoolExecutor) -> None:
    large, source = LargeBodies(threads), uuid4()

    def breaks() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await large.run(source, breaks)
    assert await large.run(source, threading.get_ident) != threading.get_ident()
