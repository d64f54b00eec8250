"""The job and its moves: pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from schemas.event import Cause, Event, following
from schemas.jobs import Failure, FailureClass, JobCanceled, JobExpired, JobFailed
from schemas.payload import Payload

State = Literal[
    "accepted", "queued", "running", "finalizing", "succeeded", "failed", "canceled", "expired"
]

TRANSITIONS: Mapping[State, frozenset[State]] = {
    "accepted": frozenset({"queued", "failed", "canceled", "expired"}),
    "queued": frozenset({"running", "canceled", "expired", "failed"}),
    "running": frozenset({"finalizing", "failed", "canceled", "expired"}),
    "finalizing": frozenset({"succeeded", "failed"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
    "expired": frozenset(),
}


class IllegalTransition(Exception):
    """A job was to go where its state does not lead; the database would refuse it too."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job as its owner holds it; `cause` began it and gives the correlation of everything it
    does.
    """

    tenant: UUID
    id: UUID
    state: State
    version: int
    kind: str
    dataset_id: UUID
    target: str
    model: str
    options: dict[str, Any]
    attempt: int
    cancel_reason: str | None
    failure: dict[str, Any] | None
    cause: Cause
    created_at: datetime

    @property
    def over(self) -> bool:
        """Whether nothing can happen to it any more."""
        return not TRANSITIONS[self.state]


@dataclass(frozen=True, slots=True)
class Moved:
    """A job after a step, and the event that says so."""

    job: Job
    event: Event


def move(
    job: Job,
    to: State,
    data: Payload,
    *,
    cause: UUID,
    by: str,
    at: datetime,
    ordinal: object = 0,
    **changes: Any,
) -> Moved:
    """The job one version later, in state `to`; raises IllegalTransition.

    Staying in a state is a step too.
    """
    if to != job.state and to not in TRANSITIONS[job.state]:
        raise IllegalTransition(f"job {job.id} cannot go from {job.state} to {to}")
    after = replace(job, state=to, version=job.version + 1, **changes)
    chain = Cause(cause, job.tenant, job.cause.correlation, job.cause.traceparent)
    event = following(
        chain, data, by=by, subject=str(job.id), version=after.version, at=at, ordinal=ordinal
    )
    return Moved(after, event)


def fail(
    job: Job,
    failure_class: FailureClass,
    code: str,
    message: str,
    *,
    cause: UUID,
    by: str,
    at: datetime,
) -> Moved:
    """End a job without a model."""
    failure = Failure(failure_class=failure_class, code=code, message=message)
    data = JobFailed(job_id=job.id, attempt=job.attempt, failure=failure, reason=message)
    return move(
        job, "failed", data, cause=cause, by=by, at=at, failure=failure.model_dump(mode="json")
    )


def cancel(job: Job, reason: str, *, cause: UUID, by: str, at: datetime) -> Moved:
    """End a job because somebody asked."""
    return move(
        job, "canceled", JobCanceled(job_id=job.id, reason=reason), cause=cause, by=by, at=at
    )


def expire(job: Job, reason: str, *, cause: UUID, by: str, at: datetime) -> Moved:
    """End a job because its deadline passed."""
    return move(job, "expired", JobExpired(job_id=job.id, reason=reason), cause=cause, by=by, at=at)
