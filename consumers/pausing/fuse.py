"""The breaker at work in a runner: asked in the transaction that would keep dead letters, before its commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumers.breaker import Limits, judge
from consumers.pausing import store
from schemas.errors import Tripped

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

BY = "breaker"


@dataclass
class Fuse:
    """Counts for all instances of a consumer together, in its row; a healthy one never touches the row."""

    consumer: str
    limits: Limits
    good_since: int = 0  # successes that the row does not know of

    async def judge(self, tx: "AsyncConnection", outcomes: Sequence[bool]) -> None:
        """Write the outcomes (True: good) into the locked row; raises Tripped."""
        paused, before = await store.locked(tx, self.consumer)
        if paused:
            raise Tripped(None)
        found = judge(before.recent, [*[True] * self.good_since, *outcomes], self.limits, before.allowed)
        if found.too_much is not None:
            raise Tripped(found.too_much)
        await store.note(tx, self.consumer, found)

    def committed(self, outcomes: Sequence[bool]) -> None:
        """They stand."""
        clean = all(outcomes)
        self.good_since = min(self.good_since + len(outcomes), self.limits.window) if clean else 0

    async def blow(self, tx: "AsyncConnection", tripped: Tripped) -> bool:
        """Pause the consumer; False when somebody did already."""
        return tripped.reason is not None and await store.pause(tx, self.consumer, tripped.reason, BY)
