"""A duty of the sweeper: what goes, after how long, and in how small steps."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from compose.failures import is_transient
from schemas.ports import Transactions

log = logging.getLogger(__name__)

Sweep = Callable[[datetime, int], AsyncGenerator[int, None]]
"""Removes what is older than a moment in batches of so many.

Yields, after each of its transactions, how many went.
"""

Due = Callable[[datetime], Awaitable[int]]
"""How many there are to remove."""


@dataclass(frozen=True)
class Duty:
    """One kind of thing that is removed when it is old."""

    name: str
    what: str
    keep: timedelta
    batch: int
    pause_seconds: float
    sweep: Sweep
    due: Due


@dataclass(frozen=True, slots=True)
class Swept:
    """What a duty removed, or (dry) would remove; `error` says why it could not go on."""

    name: str
    what: str
    keep_days: float
    before: datetime
    rows: int
    error: str | None = None

    def shown(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "name": self.name,
            "what": self.what,
            "keep_days": self.keep_days,
            "before": self.before.isoformat(),
            "rows": self.rows,
            "error": self.error,
        }


def of_rows(
    begin: Transactions,
    expire: Callable[[AsyncConnection, datetime, int], Awaitable[int]],
    expired: Callable[[AsyncConnection, datetime], Awaitable[int]],
) -> tuple[Sweep, Due]:
    """Rows that go by two statements of their owner, a batch in each transaction."""

    async def sweep(before: datetime, batch: int) -> AsyncGenerator[int, None]:
        removed = batch
        while removed == batch:
            async with begin() as tx:
                removed = await expire(tx, before, batch)
            yield removed

    async def due(before: datetime) -> int:
        async with begin() as tx:
            return await expired(tx, before)

    return sweep, due


async def carry_out(duties: Sequence[Duty], now: datetime, stop: asyncio.Event) -> list[Swept]:
    """Run one round: every duty, until `stop`.

    A duty that is blocked leaves the rest to the next round.
    """
    return [await _one(duty, now - duty.keep, stop) for duty in duties if not stop.is_set()]


async def rehearse(duties: Sequence[Duty], now: datetime) -> list[Swept]:
    """What a round would remove."""
    return [_swept(duty, now - duty.keep, await duty.due(now - duty.keep)) for duty in duties]


async def _one(duty: Duty, before: datetime, stop: asyncio.Event) -> Swept:
    rows = 0
    try:
        async with aclosing(duty.sweep(before, duty.batch)) as steps:
            async for removed in steps:
                rows += removed
                if removed:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), duty.pause_seconds)
                if stop.is_set():
                    break
    except Exception as error:
        if not is_transient(error):
            raise
        log.warning("%s: stopped early, the next round removes the rest: %s", duty.name, error)
        return _swept(duty, before, rows, f"{type(error).__name__}: {error}"[:300])
    return _swept(duty, before, rows)


def _swept(duty: Duty, before: datetime, rows: int, error: str | None = None) -> Swept:
    return Swept(duty.name, duty.what, duty.keep / timedelta(days=1), before, rows, error)
