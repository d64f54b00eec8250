"""What a queue's work means: the kinds of task that a worker can do."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from consumers.work.child_result import ChildRequest, ChildResult, Progress
from consumers.work.limits import ResourceLimits
from consumers.work.work_item import WorkItem
from schemas.event import Event

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class Unusable(Exception):
    """What the child would need is the tenant's and cannot be used.

    No further attempt changes that.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Task(Protocol):
    """One kind of work. Its transactions lock the subject first.

    The worker fences the work item after that.
    """

    @property
    def queue(self) -> str:
        """The queue that it takes from."""

    async def start(
        self, tx: "AsyncConnection", item: WorkItem, at: datetime
    ) -> tuple[bool, Sequence[Event]]:
        """Say that an attempt begins; False when the subject is over, or is ended here, and
        nothing is to do.
        """

    async def prepare(self, item: WorkItem, directory: Path) -> tuple[ChildRequest, ResourceLimits]:
        """Bring what the child needs into its directory; raises Unusable, or ObjectMissing."""

    async def progress(
        self, tx: "AsyncConnection", item: WorkItem, progress: Progress, at: datetime
    ) -> Sequence[Event]:
        """Say how far it is."""

    async def deliver(self, item: WorkItem, directory: Path, result: ChildResult) -> None:
        """Bring what the child left to the object store, under the attempt's own key."""

    async def finish(
        self, tx: "AsyncConnection", item: WorkItem, result: ChildResult, at: datetime
    ) -> Sequence[Event]:
        """Turn the result into the subject's next state.

        In the same transaction as the end of the work item.
        """

    async def give_up(
        self, tx: "AsyncConnection", item: WorkItem, code: str, message: str, at: datetime
    ) -> Sequence[Event]:
        """End the subject for want of infrastructure: every attempt was lost."""
