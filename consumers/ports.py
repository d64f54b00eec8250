"""What consumers need of the world and of one another."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from consumers.log.outcome import Outcome
from schemas.event import Cause, Event
from schemas.log import LogEntry
from schemas.usage import Meter

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class Outbox(Protocol):
    """The log, for those who append to it last in their transaction."""

    async def __call__(self, tx: "AsyncConnection", entries: Sequence[LogEntry]) -> None:
        """Append, in order."""


class Handle(Protocol):
    """What a consumer does: all events of one poll in one transaction, an outcome for each, in
    order.
    """

    async def __call__(self, tx: "AsyncConnection", events: Sequence[Event]) -> Sequence[Outcome]:
        """Decide from the locked rows of the aggregates, never from the place in the stream."""


class Ledger(Protocol):
    """Billing, for those whose effects are metered."""

    async def __call__(
        self,
        tx: "AsyncConnection",
        cause: Cause,
        *,
        record_key: str,
        meter: Meter,
        quantity: Decimal,
        subject: str,
        at: datetime,
    ) -> Sequence[Event]:
        """Write one record in the transaction of its effect.

        The events that say so (none when it is known).
        """


class Objects(Protocol):
    """The object store, as far as workers go."""

    async def fetch(self, key: str, path: Path) -> None:
        """Copy an object to a file; raises ObjectMissing."""

    async def put_file(self, key: str, path: Path) -> None:
        """Write a file durably."""


class ObjectMissing(Exception):
    """There is no such object; its key is the message."""


class ObjectDamaged(Exception):
    """The object is not what was stored; its key is the message."""


class OpenObject(Protocol):
    """The object store, as far as downloads go."""

    async def __call__(self, key: str, *, size_bytes: int, sha256: str) -> AsyncIterator[bytes]:
        """The chunks of an object of this size and SHA-256.

        Raises ObjectMissing and ObjectDamaged before the first.
        """


class SourceMappings(Protocol):
    """What sources do with a payload, from their owner."""

    async def __call__(
        self, tx: "AsyncConnection", wanted: Collection[tuple[UUID, UUID]]
    ) -> "Mapping[tuple[UUID, UUID], tuple[dict[str, Any], int]]":
        """The actions and their versions by (tenant, source); an unknown source has none."""


class RequestBody(Protocol):
    """The body of a request that was too large for a record, from its owner."""

    async def __call__(self, tx: "AsyncConnection", tenant: UUID, request_id: UUID) -> bytes | None:
        """The raw bytes, None when they are gone."""


Classify = Callable[[BaseException], type[Exception] | None]
"""Transient or Permanent for what the world raises, None for a bug."""
