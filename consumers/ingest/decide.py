"""What ingest does with each event, decided on the state that is locked: pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from consumers.ingest.dataset import BY, Dataset
from consumers.jobs.job import Job, Moved, cancel, fail, move
from consumers.log.outcome import Applied, Ignored, Outcome
from schemas.bounds import cut
from schemas.event import Event
from schemas.jobs import JobCancelRequested, JobQueued, JobRequested
from schemas.names import normal_name


@dataclass(frozen=True, slots=True)
class Decision:
    """An outcome, with the job as it is after it; `stop` asks the holder of its work to stop."""

    outcome: Outcome
    job: Job | None = None
    stop: bool = False


def request(
    event: Event,
    data: JobRequested,
    job: Job | None,
    dataset: Dataset | None,
    *,
    submitted: bool,
    at: datetime,
) -> Decision:
    """Take in a job.

    Queue or fail it when its dataset is decided, let it wait when that is only submitted.
    """
    if job is not None:
        return Decision(Ignored("the job exists"))
    new = Job(
        event.tenantid,
        data.job_id,
        "accepted",
        0,
        data.kind,
        data.dataset_id,
        data.target,
        data.model,
        dict(data.options),
        0,
        None,
        None,
        event.cause,
        event.time,
    )
    if dataset is not None:
        moved = settle(new, dataset, event, at)
        return Decision(Applied((moved.event,) if moved else ()), moved.job if moved else new)
    if submitted:
        return Decision(Applied(), new)
    moved = fail(
        new,
        "user_config",
        "dataset_not_found",
        f"There is no dataset {data.dataset_id}.",
        cause=event.id,
        by=BY,
        at=at,
    )
    return Decision(Applied((moved.event,)), moved.job)


def settle(job: Job, dataset: Dataset, event: Event, at: datetime) -> Moved | None:
    """What becomes of a job that waits for this dataset; None while that is not decided."""
    if dataset.state == "submitted" or job.state != "accepted":
        return None
    if dataset.state == "rejected":
        message = f"The dataset {dataset.name} was rejected: {dataset.reason}"
        return fail(
            job, dataset.failure_class, "dataset_rejected", message, cause=event.id, by=BY, at=at
        )
    names = [column.name for column in dataset.columns]
    target = job.target if job.target in names else normal_name(job.target)
    if target not in names:
        shown = cut(", ".join(names[:20]), 2000)
        message = f"The dataset {dataset.name} has no column {job.target!r}; it has {shown}"
        return fail(job, "user_config", "target_not_found", message, cause=event.id, by=BY, at=at)
    data = JobQueued(
        job_id=job.id,
        kind=job.kind,
        dataset_id=dataset.id,
        dataset_version=dataset.version or 0,
        object_key=dataset.object_key,
        columns=dataset.columns,
        target=target,
        model=job.model,
        options=job.options,
        reason="its dataset is valid",
    )
    return move(job, "queued", data, cause=event.id, by=BY, at=at, ordinal=job.id)


def cancellation(event: Event, data: JobCancelRequested, job: Job | None, at: datetime) -> Decision:
    """Cancel what waits at once; ask what runs to stop; leave what is over as it is."""
    if job is None:
        return Decision(Ignored("there is no such job"))
    if job.state in ("accepted", "queued"):
        moved = cancel(job, data.reason, cause=event.id, by=BY, at=at)
        return Decision(Applied((moved.event,)), moved.job, stop=True)
    if job.state == "running":
        return Decision(Applied(), replace(job, cancel_reason=data.reason), stop=True)
    return Decision(Ignored(f"the job is {job.state}"))
