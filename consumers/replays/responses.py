"""What the routes of replays answer, for the OpenAPI document."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, JsonValue

from consumers.dead_letters.responses import DeadLetterSummary

ItemState = Literal["pending", "applied", "already_applied", "failed_again", "skipped"]


class OutcomeCounts(BaseModel):
    """How many messages of a replay are in each state."""

    pending: int
    applied: int
    already_applied: int
    failed_again: int
    skipped: int


class ReplaySummary(BaseModel):
    """A replay as a list shows it."""

    id: UUID
    kind: Literal["dead_letters", "requests"]
    filter: dict[str, JsonValue]
    reason: str | None
    throttle_per_second: float | None
    state: Literal["running", "finished", "canceled"]
    expected: int | None
    matched: int
    created_at: AwareDatetime
    created_by: str
    finished_at: AwareDatetime | None
    finished_by: str | None
    counts: OutcomeCounts


class Replay(ReplaySummary):
    """A replay; `progress` is the share of its messages that have an outcome."""

    progress: float


class ReplayedMessage(BaseModel):
    """A message of a replay, and its outcome."""

    place: int
    subject_id: UUID
    event_id: UUID | None
    consumer: str
    state: ItemState
    detail: str | None
    attempts: int
    ready_at: AwareDatetime
    created_at: AwareDatetime
    settled_at: AwareDatetime | None


class ReplayDetails(Replay):
    """A replay with a page of its messages.

    `next_cursor` is the place of the last one, null at the end.
    """

    items: list[ReplayedMessage]
    next_cursor: int | None


class MatchingRequest(BaseModel):
    """A request that a replay would handle; `refused` says why it can not."""

    id: UUID
    event_id: UUID | None
    refused: str | None


class DryReplay(BaseModel):
    """What a replay would handle: how many messages, and some of them."""

    matched: int
    sample: list[DeadLetterSummary | MatchingRequest]
