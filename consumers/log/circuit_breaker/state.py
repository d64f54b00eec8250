"""The breaker at work in a runner: asked in the transaction that would keep dead letters, before
its commit.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import UUID

from consumers.log.circuit_breaker import store
from consumers.log.circuit_breaker.policy import MOST_WITNESSES, BreakerLimits, Result, judge
from schemas.errors import Tripped

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

BY = "breaker"
NOTE_SECONDS = 60.0


@dataclass
class CircuitBreaker:
    """Counts for all instances of a consumer together, in its row.

    A healthy one writes the row once a minute: another instance, which may have one tenant only,
    must see who is well.
    """

    consumer: str
    limits: BreakerLimits
    good_since: int = 0  # successes that the row does not know of
    well: dict[UUID, float] = field(default_factory=dict)  # whose they are, by `time.monotonic`
    alone: frozenset[UUID] = frozenset()
    noted_at: float = field(default_factory=time.monotonic)
    judged: bool = False

    @property
    def is_due(self) -> bool:
        """Whether the row should learn of successes."""
        return bool(self.well) and time.monotonic() - self.noted_at > NOTE_SECONDS

    async def judge(self, tx: "AsyncConnection", results: Sequence[Result]) -> None:
        """Write the results into the locked row; raises Tripped."""
        paused, before, now = await store.locked(tx, self.consumer)
        if paused:
            raise Tripped(None)
        age = now - time.monotonic()
        witnesses = {**before.witnesses, **{one.hex: at + age for one, at in self.well.items()}}
        before = replace(before, witnesses=dict(sorted(witnesses.items(), key=lambda one: one[1])))
        known: list[Result] = [(True, None)] * self.good_since
        found = judge(before, [*known, *results], self.limits, now)
        if found.too_much is not None:
            raise Tripped(found.too_much)
        await store.note(tx, self.consumer, found)
        self.alone = found.alone
        self.judged = True

    def committed(self, results: Sequence[Result]) -> None:
        """The results are committed."""
        now = time.monotonic()
        if self.judged:
            self.good_since, self.well, self.judged, self.noted_at = 0, {}, False, now
            return
        self.good_since = min(self.good_since + len(results), self.limits.window)
        for tenant in {one for _, one in results if one is not None}:
            self.well.pop(tenant, None)
            self.well[tenant] = now
            if len(self.well) > MOST_WITNESSES:
                del self.well[next(iter(self.well))]

    async def blow(self, tx: "AsyncConnection", tripped: Tripped) -> bool:
        """Pause the consumer; False when somebody did already."""
        return tripped.reason is not None and await store.pause(
            tx, self.consumer, tripped.reason, BY
        )
