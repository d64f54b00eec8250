"""What the routes of requests answer, for the OpenAPI document."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel


class Delivery(BaseModel):
    """One delivery to a source."""

    id: UUID
    source_id: UUID
    source_name: str | None
    outcome: Literal["accepted", "duplicate", "rejected"]
    reason: str | None
    event_id: UUID | None
    job_id: UUID | None
    external_id: str | None
    content_type: str
    size_bytes: int
    possible_replay: bool
    same_body: bool | None
    received_at: AwareDatetime


class RequestReplay(BaseModel):
    """What a replay made of a request."""

    replay_id: UUID
    reason: str | None
    created_at: AwareDatetime
    created_by: str
    state: Literal["pending", "applied", "already_applied", "failed_again", "skipped"]
    detail: str | None
    attempts: int
    settled_at: AwareDatetime | None


class AcceptedRequest(BaseModel):
    """An accepted request: its event, the kept headers, the hash of its body, and its replays."""

    id: UUID
    source_id: UUID
    source_name: str | None
    event_id: UUID
    job_id: UUID | None
    external_id: str | None
    content_type: str
    content_encoding: str | None
    headers: dict[str, str]
    size_bytes: int
    body_hash: str
    possible_replay: bool
    received_at: AwareDatetime
    replays: list[RequestReplay]
