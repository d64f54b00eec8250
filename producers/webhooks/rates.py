"""Rates per tenant and source: token buckets, kept by each API process for itself."""

from collections import OrderedDict
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Rate:
    """So many a second on average, and so many at once."""

    per_second: float
    burst: int


class RateLimitState(NamedTuple):
    """What is left of a rate; `wait_seconds` is over zero when it is used up."""

    limit: int
    remaining: int
    wait_seconds: float
    reset_seconds: float

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The RateLimit headers, and Retry-After when there is a wait."""
        pairs = [
            (b"ratelimit-limit", b"%d" % self.limit),
            (b"ratelimit-remaining", b"%d" % self.remaining),
            (b"ratelimit-reset", b"%d" % ceil(self.reset_seconds)),
        ]
        if self.wait_seconds > 0:
            pairs.append((b"retry-after", b"%d" % max(1, ceil(self.wait_seconds))))
        return pairs


class Buckets:
    """One bucket per key.

    The `size` that were used last are remembered, the others are full again.
    """

    def __init__(self, rate: Rate, size: int = 50_000) -> None:
        self._rate = rate
        self._size = size
        self._levels: OrderedDict[UUID, tuple[float, float]] = OrderedDict()

    def take(self, key: UUID, now: float, rate: Rate | None = None) -> RateLimitState:
        """Take one at `now` (seconds of a monotonic clock), or say how long to wait; `rate` is
        the key's own.
        """
        rate = rate or self._rate
        burst = float(rate.burst)
        level, then = self._levels.get(key, (burst, now))
        level = min(burst, level + max(0.0, now - then) * rate.per_second)
        allowed = level >= 1
        if allowed:
            level -= 1
        self._levels[key] = (level, now)
        self._levels.move_to_end(key)
        while len(self._levels) > self._size:
            self._levels.popitem(last=False)
        wait = 0.0 if allowed else (1 - level) / rate.per_second
        return RateLimitState(rate.burst, int(level), wait, (burst - level) / rate.per_second)

    def give_back(self, key: UUID) -> None:
        """Return one that was taken for nothing.

        More than the burst is cut off at the next take.
        """
        if key in self._levels:
            level, then = self._levels[key]
            self._levels[key] = (level + 1, then)
