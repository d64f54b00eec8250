"""What the routes of dead letters answer, for the OpenAPI document."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, JsonValue

from consumers.dead_letters.filter import State


class DeadLetterSummary(BaseModel):
    """A dead letter as a list shows it."""

    id: UUID
    consumer: str
    consumer_version: str | None
    event_id: UUID | None
    event_type: str | None
    trace_id: str | None
    topic: str
    partition: int
    offset: int
    error_class: str
    error: str
    fingerprint: str
    attempts: int
    state: State
    created_at: AwareDatetime
    last_failed_at: AwareDatetime
    discarded_at: AwareDatetime | None
    discarded_by: str | None
    discard_reason: str | None
    size_bytes: int


class RecordHeader(BaseModel):
    """A header of a Kafka record, as text."""

    name: str
    value: str


class DeadLetterDetails(DeadLetterSummary):
    """A dead letter with its record.

    `decoded` is the event in it, or `undecodable` says why there is none.
    """

    stack: str | None
    key: str | None
    headers: list[RecordHeader]
    decoded: dict[str, JsonValue] | None
    undecodable: str | None


class DeadLetterGroup(BaseModel):
    """The dead letters of one fingerprint."""

    fingerprint: str
    count: int
    parked: int
    first_failed_at: AwareDatetime
    last_failed_at: AwareDatetime
    sample_id: UUID
    consumer: str
    error_class: str
    event_type: str | None
    error: str


class DiscardedGroup(BaseModel):
    """How many dead letters of a fingerprint were discarded."""

    fingerprint: str
    discarded: int
