"""A job as people read it, folded from its events: pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from schemas import jobs
from schemas.event import Event

STATES = {
    "job.requested": "accepted",
    "job.queued": "queued",
    "job.started": "running",
    "job.trained": "finalizing",
    "job.succeeded": "succeeded",
    "job.failed": "failed",
    "job.canceled": "canceled",
    "job.expired": "expired",
}


class NotBegun(Exception):
    """An event of a job whose request was never seen: the view was begun past the log's
    beginning.
    """


@dataclass(frozen=True, slots=True)
class JobRow:
    """One row; `document` is what the API answers, less the timeline."""

    tenant: UUID
    id: UUID
    version: int
    state: str
    kind: str
    model: str
    document: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a job's timeline."""

    tenant: UUID
    job_id: UUID
    event_id: UUID
    version: int
    type: str
    time: datetime
    data: dict[str, Any]


def fold(row: JobRow | None, event: Event) -> JobRow | None:
    """The row after an event; the same row for a copy or an older event. Raises NotBegun."""
    data = event.data
    if isinstance(data, jobs.JobRequested):
        return row or _begun(event, data)
    if isinstance(data, jobs.JobCancelRequested):
        return row
    if row is None:
        raise NotBegun(f"job {event.subject}: {event.type} without a request before it")
    if event.aggregateversion <= row.version:
        return row
    state = STATES.get(event.type, row.state)
    document = {
        **row.document,
        **_changes(row.document, event),
        "state": state,
        "updated_at": event.time.isoformat(),
    }
    return replace(
        row, version=event.aggregateversion, state=state, document=document, updated_at=event.time
    )


def fold_all(events: Iterable[Event]) -> JobRow | None:
    """The row that all of a job's events give."""
    row = None
    for event in events:
        row = fold(row, event)
    return row


def moment(event: Event) -> Moment | None:
    """The timeline's line of an event; progress has none."""
    data = event.data
    if isinstance(data, jobs.JobProgressed):
        return None
    said = data.model_dump(mode="json", include={"reason", "attempt", "failure"}, exclude_none=True)
    job_id = UUID(event.subject)
    return Moment(
        event.tenantid, job_id, event.id, event.aggregateversion, event.type, event.time, said
    )


def _begun(event: Event, data: jobs.JobRequested) -> JobRow:
    time = event.time.isoformat()
    document: dict[str, Any] = {
        "id": str(data.job_id),
        "kind": data.kind,
        "state": "accepted",
        "dataset_id": str(data.dataset_id),
        "dataset_version": None,
        "target": data.target,
        "model": {"name": data.model, "version": None},
        "options": data.options,
        "origin": data.origin,
        "correlation_id": str(event.correlationid),
        "progress": None,
        "attempts": [],
        "task": None,
        "metrics": None,
        "baseline": None,
        "details": None,
        "failure": None,
        "created_at": time,
        "updated_at": time,
    }
    return JobRow(
        event.tenantid,
        data.job_id,
        0,
        "accepted",
        data.kind,
        data.model,
        document,
        event.time,
        event.time,
    )


def _changes(document: dict[str, Any], event: Event) -> dict[str, Any]:
    time = event.time.isoformat()
    match event.data:
        case jobs.JobQueued() as data:
            return {"dataset_version": data.dataset_version}
        case jobs.JobStarted() as data:
            begun = {
                "attempt": data.attempt,
                "started_at": time,
                "ended_at": None,
                "reason": data.reason,
            }
            return {"attempts": [*_closed(document, time), begun], "progress": None}
        case jobs.JobProgressed() as data:
            return {"progress": {"stage": data.stage, "fraction": data.fraction}}
        case jobs.JobTrained() as data:
            measured = {
                "task": data.task,
                "metrics": data.metrics,
                "baseline": data.baseline,
                "details": data.details,
            }
            return {
                **measured,
                "attempts": _closed(document, time),
                "progress": {"stage": "trained", "fraction": 1.0},
            }
        case jobs.JobSucceeded() as data:
            return {"model": data.model.model_dump()}
        case jobs.JobFailed() as data:
            return {
                "failure": data.failure.model_dump(mode="json"),
                "attempts": _closed(document, time),
            }
        case jobs.JobCanceled() | jobs.JobExpired():
            return {"attempts": _closed(document, time)}
        case _:
            return {}


def _closed(document: dict[str, Any], time: str) -> list[dict[str, Any]]:
    return [{**one, "ended_at": one["ended_at"] or time} for one in document["attempts"]]
