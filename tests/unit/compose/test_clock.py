"""The ids of a process: no two are the same, in its threads and in what it forks."""

import os
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from compose.clock import RANDOM_AT_ONCE, Clock


def test_no_two_threads_get_the_same_id() -> None:
    clock = Clock()
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: clock.new_id(), range(20 * RANDOM_AT_ONCE)))
    assert len(set(made)) == len(made)


def test_a_fork_shares_no_randomness() -> None:
    clock = Clock()
    clock.new_id()  # the rest of what was read stays with this process
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, b"".join(clock.new_id().bytes for _ in range(10)))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 160)
    os.close(reading)
    os.close(writing)
    random_parts = {UUID(bytes=theirs[at : at + 16]).bytes[6:] for at in range(0, 160, 16)}
    assert len(random_parts) == 10
    assert random_parts.isdisjoint(clock.new_id().bytes[6:] for _ in range(RANDOM_AT_ONCE))
