"""What the parts of this process tell, each through its own small port, and the metric that it goes to."""

from collections.abc import Callable, Mapping

from compose.metrics.catalogue import CONSUMED, PARKED, WEBHOOKS
from compose.metrics.meters import meters


def webhook(outcome: str, seconds: float) -> None:
    """The door answered."""
    meters().record(WEBHOOKS, seconds, outcome)


def consumed(consumer: str) -> Callable[[Mapping[str, int], Mapping[str, int]], None]:
    """A consumer or projection committed: events by outcome, dead letters by class."""

    def told(outcomes: Mapping[str, int], letters: Mapping[str, int]) -> None:
        for outcome, events in outcomes.items():
            meters().count(CONSUMED, events, consumer, outcome)
        for error_class, events in letters.items():
            meters().count(PARKED, events, consumer, error_class)

    return told
