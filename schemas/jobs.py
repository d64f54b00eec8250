"""Jobs: requested through the API, then moved from state to state by their owner."""

import math
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, Field, JsonValue

from schemas.bounds import MOST_OPTIONS_BYTES, at_most
from schemas.datasets import Column
from schemas.payload import Frozen, Payload

FailureClass = Literal["user_data", "user_config", "quota", "infrastructure", "internal"]
MOST_OPTION_DEPTH = 20
MOST_OPTION_VALUES = 1000


def _storable(value: JsonValue, depth: int = 0) -> JsonValue:
    """Refuse what would be accepted here and fail everybody after: NUL, half a surrogate, NaN,
    endless nesting.
    """
    if depth > MOST_OPTION_DEPTH:
        raise ValueError(f"options are nested deeper than {MOST_OPTION_DEPTH}")
    if isinstance(value, str) and (
        "\x00" in value or any("\ud800" <= mark <= "\udfff" for mark in value)
    ):
        raise ValueError(
            "options have a character that cannot be stored (NUL or half a surrogate pair)"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("options have a number that JSON cannot express")
    inner = (
        [*value, *value.values()]
        if isinstance(value, dict)
        else value
        if isinstance(value, list)
        else []
    )
    for one in inner:
        _storable(one, depth + 1)
    return value


Options = Annotated[dict[str, JsonValue], AfterValidator(_storable)]


def _few(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    waiting: list[JsonValue] = [value]
    for one in waiting:
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        if len(waiting) > MOST_OPTION_VALUES:
            raise ValueError(f"options have more than {MOST_OPTION_VALUES} values")
    return value


NewOptions = Annotated[
    Options, AfterValidator(at_most(MOST_OPTIONS_BYTES, "options")), AfterValidator(_few)
]
"""Options where they enter. What an event holds is read without this limit: older events may
have more.
"""


class Failure(Frozen):
    """Why a job ended: whose fault (`class`), a stable code, and what to do."""

    failure_class: FailureClass = Field(alias="class", serialization_alias="class")
    code: str
    message: str


class ModelReference(Frozen):
    """One immutable version of a model."""

    name: str
    version: int


class Artifact(Frozen):
    """A file in the object store, with its hash."""

    object_key: str
    size_bytes: int
    sha256: str


class JobRequested(Payload, type="job.requested"):
    """A request for a job, from the API or from a webhook's mapping."""

    job_id: UUID
    kind: str
    dataset_id: UUID
    target: str
    model: str
    options: Options = Field(default_factory=dict)
    origin: str = "api"
    mapping_version: int | None = None


class JobCancelRequested(Payload, type="job.cancel_requested"):
    """A request to stop a job, whatever its state."""

    job_id: UUID
    reason: str


class JobQueued(Payload, type="job.queued"):
    """Admitted: its dataset is valid and it waits for a worker."""

    job_id: UUID
    kind: str
    dataset_id: UUID
    dataset_version: int
    object_key: str
    columns: tuple[Column, ...]
    target: str
    model: str
    options: Options = Field(default_factory=dict)
    reason: str


class JobStarted(Payload, type="job.started"):
    """A worker took it up; a later attempt follows a lost worker."""

    job_id: UUID
    attempt: int
    reason: str


class JobProgressed(Payload, type="job.progressed"):
    """How far the running attempt is; `fraction` from 0 to 1."""

    job_id: UUID
    attempt: int
    stage: str
    fraction: float


class JobTrained(Payload, type="job.trained"):
    """The model is fitted and measured on the held-out rows; it waits to be registered."""

    job_id: UUID
    attempt: int
    kind: str
    dataset_id: UUID
    dataset_version: int
    target: str
    model: str
    task: str
    metrics: dict[str, float]
    baseline: dict[str, float]
    details: dict[str, JsonValue]
    plan: dict[str, JsonValue]
    artifacts: dict[str, Artifact]
    reason: str


class JobSucceeded(Payload, type="job.succeeded"):
    """Done: the model version exists."""

    job_id: UUID
    task: str
    metrics: dict[str, float]
    baseline: dict[str, float]
    model: ModelReference
    reason: str


class JobFailed(Payload, type="job.failed"):
    """Ended without a model."""

    job_id: UUID
    attempt: int
    failure: Failure
    reason: str


class JobCanceled(Payload, type="job.canceled"):
    """A job stopped on request."""

    job_id: UUID
    reason: str


class JobExpired(Payload, type="job.expired"):
    """Its deadline passed before it was done."""

    job_id: UUID
    reason: str
