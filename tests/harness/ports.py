"""Loopback ports for servers of tests: below those that the kernel hands to clients, and a range
for each worker.
"""

import os
import random

from compose.devstack.ports import is_free

FIRST, EACH = 20_000, 1_000


def own_ports(count: int) -> tuple[int, ...]:
    """So many different free ports that no other worker of this run takes."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw9").removeprefix("gw"))
    first = FIRST + worker % 10 * EACH
    dice = random.SystemRandom()
    free = (port for port in dice.sample(range(first, first + EACH), EACH) if is_free(port))
    return tuple(next(free) for _ in range(count))
