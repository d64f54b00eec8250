"""What the parts of this process tell, each through its own small port, and the metric that it
goes to.
"""

import time
from collections.abc import Callable, Mapping
from typing import Literal

from compose.telemetry.catalogue import (
    CONSUMED,
    DURATIONS,
    ELECTIONS,
    LEASES_LOST,
    PARKED,
    REBALANCES,
    REPLAYED,
    SENT,
    TAKEOVERS,
    UNCONFIRMED,
    WEBHOOKS,
)
from compose.telemetry.meters import meters
from compose.telemetry.sampling import Sampling

_TAKEN = Sampling()


def webhook(outcome: str, seconds: float) -> None:
    """Count one answered webhook, and sample how long it took in seconds."""
    meters().count(WEBHOOKS, 1, outcome)
    if _TAKEN.takes(time.monotonic()):
        meters().record(DURATIONS, seconds, outcome)


def consumed(consumer: str) -> Callable[[Mapping[str, int], Mapping[str, int]], None]:
    """A consumer or projection committed: events by outcome, dead letters by class."""

    def count(outcomes: Mapping[str, int], dead_letters: Mapping[str, int]) -> None:
        for outcome, events in outcomes.items():
            meters().count(CONSUMED, events, consumer, outcome)
        for error_class, events in dead_letters.items():
            meters().count(PARKED, events, consumer, error_class)

    return count


def replayed(consumer: str) -> Callable[[str], None]:
    """Count a message of a replay that its consumer's replay worker has settled."""
    return lambda outcome: meters().count(REPLAYED, 1, consumer, outcome)


def rebalanced(consumer: str) -> None:
    """A subscription was given its partitions."""
    meters().count(REBALANCES, 1, consumer)


def lease(queue: str, what: Literal["taken_over", "lost"]) -> None:
    """A worker's lease changed hands."""
    meters().count(TAKEOVERS if what == "taken_over" else LEASES_LOST, 1, queue)


def relayed(records: int | None) -> None:
    """The relay sent a round, or (None) Kafka did not confirm it."""
    if records is None:
        meters().count(UNCONFIRMED, 1)
    else:
        meters().count(SENT, records)


def elected(lock: str) -> None:
    """This process is the one at work."""
    meters().count(ELECTIONS, 1, lock)
