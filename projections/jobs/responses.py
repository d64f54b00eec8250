"""What the routes of jobs answer, for the OpenAPI document; tests compare every answer with it."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, JsonValue

from schemas.jobs import Failure

State = Literal[
    "accepted", "queued", "running", "finalizing", "succeeded", "failed", "canceled", "expired"
]


class JobModel(BaseModel):
    """The model that a job trains; `version` once it is registered."""

    name: str
    version: int | None


class Progress(BaseModel):
    """How far the running attempt is; `fraction` from 0 to 1."""

    stage: str
    fraction: float


class Attempt(BaseModel):
    """One attempt of a job."""

    attempt: int
    started_at: AwareDatetime
    ended_at: AwareDatetime | None
    reason: str


class JobSummary(BaseModel):
    """A job as a list shows it."""

    id: UUID
    kind: str
    state: State
    dataset_id: UUID
    dataset_version: int | None
    target: str
    model: JobModel
    options: dict[str, JsonValue]
    origin: str
    correlation_id: UUID
    progress: Progress | None
    attempts: list[Attempt]
    task: str | None
    metrics: dict[str, float] | None
    baseline: dict[str, float] | None
    better_than_baseline: bool | None
    failure: Failure | None
    created_at: AwareDatetime
    updated_at: AwareDatetime


class TimelineEntry(BaseModel):
    """An event of a job; what its type does not have is left out."""

    type: str
    time: AwareDatetime
    version: int
    event_id: UUID
    reason: str | None = None
    attempt: int | None = None
    failure: Failure | None = None


class Job(JobSummary):
    """A job with the details of its training and its timeline."""

    details: dict[str, JsonValue] | None
    timeline: list[TimelineEntry]
