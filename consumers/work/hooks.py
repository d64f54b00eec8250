"""What a worker calls besides its task, and the defaults, which do nothing."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from consumers.work.work_item import WorkItem
from schemas.event import Event

Leased = Callable[[str, Literal["taken_over", "lost"]], None]
"""Called with the queue in which a lease ran out and was taken over here, or was lost by this
worker.
"""

Ended = Callable[[WorkItem, Sequence[Event]], Awaitable[None]]
"""Called with the events of the commit that ended a work item; it must not raise."""


def unheard(_queue: str, _what: str) -> None:
    """Count nothing, where nobody measures."""


async def at_once() -> None:
    """What needs nothing is ready."""


async def forgotten(_item: WorkItem, _events: Sequence[Event]) -> None:
    """Nothing is left to do."""
