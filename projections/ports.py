"""What projections need of the world."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from schemas.errors import Tripped
from schemas.event import Event
from schemas.record import Record, Span

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class View(Protocol):
    """One read model: the events that it is folded from, and how a batch of them is written."""

    @property
    def name(self) -> str:
        """What its positions and its generation are kept under."""

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that it reads."""

    @property
    def wanted(self) -> frozenset[str]:
        """The types that it folds; others are passed over."""

    async def apply(self, tx: "AsyncConnection", generation: int, events: Sequence[Event]) -> None:
        """Fold events in their order; a copy changes nothing, and a row never goes back."""


Park = Callable[["AsyncConnection", str, Record, Event | None, str, str], Awaitable[None]]
"""Keep a record that a view cannot fold: (tx, view, record, event if it is one, class of the
error, error).
"""

Passing = Callable[[BaseException], bool]
"""Whether what was raised is the world's doing, and the same again can succeed."""


Result = tuple[bool, UUID | None]
"""Whether a record went well, and whose it is: None for one that cannot be read."""


class Breaker(Protocol):
    """What pauses a view on which too much fails; it counts for all its processes together."""

    @property
    def is_due(self) -> bool:
        """Whether it wants to judge a delivery that went well, too."""

    async def judge(self, tx: "AsyncConnection", results: Sequence[Result]) -> None:
        """Note the results of what is about to be committed; raises Tripped."""

    def committed(self, results: Sequence[Result]) -> None:
        """The results are committed."""

    async def blow(self, tx: "AsyncConnection", tripped: Tripped) -> bool:
        """Pause the view; False when somebody did already."""


class GivenUp(Protocol):
    """Why a record is parked without being folded; `unread` when even reading it may end the
    process.
    """

    @property
    def error(self) -> str:
        """The reason as text."""

    @property
    def unread(self) -> bool:
        """Whether it must not be read."""


class Guard(Protocol):
    """What counts records that may end the process before they are folded."""

    async def concerns(self, spans: Sequence[Span]) -> bool:
        """Whether these partitions' records are to be folded one by one."""

    async def handle(
        self,
        record: Record,
        handle: Callable[[], Awaitable[bool]],
        park: Callable[[GivenUp], Awaitable[bool]],
    ) -> bool | float:
        """Fold one record, counted before, or park it."""

    async def passed(self, spans: Sequence[Span]) -> None:
        """Forget the counts before the ends of these spans, which were folded."""


History = Callable[["AsyncConnection", UUID, UUID], Awaitable[Sequence[Event]]]
"""Every event of one aggregate, from the log: (tx, tenant, aggregate)."""
