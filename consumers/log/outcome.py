"""What became of an event: a closed union, matched to the last case."""

from dataclasses import dataclass
from typing import Literal

from schemas.event import Event


@dataclass(frozen=True, slots=True)
class Applied:
    """It had its effect; these events say so, in this order."""

    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing to do, and that is right: the aggregate has moved on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """It can have no effect until the reason is repaired: a dead letter."""

    failure_class: Literal["user_data", "user_config", "internal"]
    reason: str


Outcome = Applied | Ignored | Rejected
