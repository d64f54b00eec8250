"""Work items for child processes: what is put into a queue, and what a claim returns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from schemas.event import Cause


@dataclass(frozen=True, slots=True)
class NewWorkItem:
    """One work item per subject and queue, which begins by `deadline` and takes `run_seconds` from
    its first claim on.

    Without `run_seconds` it takes the time between `created_at` and `deadline`, however long it
    waits.
    """

    tenant: UUID
    queue: str
    subject: UUID
    payload: dict[str, Any]
    cause: Cause
    created_at: datetime
    deadline: datetime
    priority: int = 0
    max_attempts: int = 3
    run_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A work item under lease: only the holder of the current `token` may finish it."""

    tenant: UUID
    id: UUID
    queue: str
    subject: UUID
    payload: dict[str, Any]
    attempt: int
    max_attempts: int
    token: int
    deadline: datetime
    cancel_reason: str | None
    cause: Cause
    taken_over: bool = False  # another holder's lease ran out

    @property
    def last_attempt(self) -> bool:
        """Whether a loss of this one is the end."""
        return self.attempt >= self.max_attempts

    @property
    def exhausted(self) -> bool:
        """Whether every attempt was lost before this claim."""
        return self.attempt > self.max_attempts
