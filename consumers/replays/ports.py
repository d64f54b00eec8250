"""What replays need of others."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from consumers.replays.replay import RequestChoice, Target
from schemas.event import Event
from schemas.record import Record

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class Requests(Protocol):
    """Requests, from their owner."""

    async def __call__(
        self, tx: "AsyncConnection", choice: RequestChoice, limit: int
    ) -> Sequence[Target]:
        """The tenant's that are meant, the oldest first."""


class Published(Protocol):
    """The log, by the id of an event that began a chain."""

    async def __call__(self, tx: "AsyncConnection", tenant: UUID, event_id: UUID) -> Record | None:
        """Its record; None when the log does not hold it."""


class Known(Protocol):
    """Whether an event has had its effect, though nobody remembers how."""

    async def __call__(self, tx: "AsyncConnection", event: Event, failed_before: bool) -> bool:
        """True when what it brings about is there."""


class NewId(Protocol):
    """Ids that carry time."""

    def __call__(self) -> UUID:
        """A UUIDv7."""


Settled = Callable[[str], None]
"""Called with the outcome of a message, once it is committed."""


def untold(_outcome: str) -> None:
    """Count nothing, where nobody measures."""
