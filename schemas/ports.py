"""What more than one package needs of the world: compose hands it over, and mypy checks the fit."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from schemas.record import Span

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class Transactions(Protocol):
    """Begins transactions of one role that sees all tenants."""

    def __call__(self) -> "AbstractAsyncContextManager[AsyncConnection]":
        """Begin a transaction, which commits when the block ends well."""


class TenantTransactions(Protocol):
    """Begins transactions of the API's role, each of which sees one tenant."""

    def __call__(self, tenant: UUID) -> "AbstractAsyncContextManager[AsyncConnection]":
        """Begin a transaction, which commits when the block ends well."""


class Clock(Protocol):
    """Gives the database's time, and ids that carry it."""

    def now(self) -> datetime:
        """Return the time as aware UTC."""

    def new_id(self) -> UUID:
        """Return a new UUIDv7."""


class PositionCheck(Enum):
    """Where the positions of a batch's partitions are."""

    HERE = "here"  # at its start: it may be applied
    PASSED = "passed"  # at its end: its commit was not lost, only the answer to it
    ELSEWHERE = "elsewhere"  # somebody else moved them: seek again


class Positions(Protocol):
    """Keeps one reader's positions, moved in the transaction of the effect."""

    async def check(self, tx: "AsyncConnection", spans: Sequence[Span]) -> PositionCheck:
        """Lock the rows of all the partitions, in order, and compare."""

    async def advance(self, tx: "AsyncConnection", spans: Sequence[Span]) -> None:
        """Set each to the span's end."""


Failpoint = Callable[[str], None]
"""Marks a step by its name: there a test can have the process killed."""


def no_failpoint(_step: str) -> None:
    """Do nothing at any step, as outside of tests."""


Counted = Callable[[Mapping[str, int], Mapping[str, int]], None]
"""Counts what a commit did: events by outcome (applied, ignored, duplicate, dead_letter), dead
letters by class.
"""


def uncounted(_outcomes: Mapping[str, int], _letters: Mapping[str, int]) -> None:
    """Count nothing, where nobody measures."""
