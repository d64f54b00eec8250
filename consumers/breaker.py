"""When a consumer fails so often that it must stop rather than empty its topics into the dead letters. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

GOOD, BAD = ".", "x"
# What a tenant's own data or configuration brings about says nothing against the consumer, and must not stop others.
COUNTED = frozenset({"undecodable", "permanent", "bug", "internal"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may fail; past either limit the consumer pauses."""

    max_run: int = 20  # failures one after the other
    max_ratio: float = 0.5  # of the last `window` messages, once there are `minimum`
    window: int = 200
    minimum: int = 50

    def __post_init__(self) -> None:
        if not 0 < self.max_run < self.window or not 0 < self.minimum <= self.window or not 0 < self.max_ratio <= 1:
            raise ValueError(f"limits that can never hold, or never trip: {self}")


@dataclass(frozen=True, slots=True)
class Judgement:
    """The latest outcomes, oldest first, a character each; why it is too much, if it is; how many may yet fail."""

    recent: str
    too_much: str | None = None
    allowed: int = 0


def judge(recent: str, outcomes: Iterable[bool], limits: Limits, allowed: int = 0) -> Judgement:
    """Add outcomes (True: good) in their order; it stops at the first that is too much.

    The first `allowed` failures do not count: an operator has said that what is in the log cannot be mended.
    """
    for outcome in outcomes:
        good = outcome or allowed > 0
        allowed -= 0 if outcome or not allowed else 1
        recent = (recent + (GOOD if good else BAD))[-limits.window :]
        if good:
            continue
        run = len(recent) - len(recent.rstrip(BAD))
        if run > limits.max_run:
            return Judgement(recent, f"more than {limits.max_run} failures in a row", allowed)
        bad = recent.count(BAD)
        if len(recent) >= limits.minimum and bad > limits.max_ratio * len(recent):
            return Judgement(
                recent, f"{bad} of the last {len(recent)} failed, more than {limits.max_ratio:.0%}", allowed
            )
    return Judgement(recent, None, allowed)
