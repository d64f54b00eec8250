"""A job's events as its owner writes them: in order, versions one by one."""

from datetime import UTC, datetime, timedelta

from schemas.datasets import Column
from schemas.event import Event, following
from schemas.jobs import (
    Artifact,
    Failure,
    JobCanceled,
    JobExpired,
    JobFailed,
    JobProgressed,
    JobQueued,
    JobRequested,
    JobStarted,
    JobSucceeded,
    JobTrained,
    ModelReference,
)
from schemas.payload import Payload
from tests.factories import door_event, new_id

START = datetime(2026, 3, 2, 9, 14, 7, tzinfo=UTC)
TENANT, JOB, DATASET = new_id(START), new_id(START), new_id(START)


def requested() -> Event:
    data = JobRequested(
        job_id=JOB,
        kind="train",
        dataset_id=DATASET,
        target="target",
        model="wine",
        options={"seed": 7},
    )
    return door_event(data, JOB, tenant=TENANT, at=START)


def story(*told: Payload, begin: Event | None = None) -> list[Event]:
    """The request and what follows, one second and one version apart."""
    first = begin or requested()
    return [
        first,
        *(
            following(
                first.cause,
                data,
                by="training",
                subject=str(JOB),
                version=version,
                ordinal=version,
                at=START + timedelta(seconds=version),
            )
            for version, data in enumerate(told, 1)
        ),
    ]


def at(seconds: int) -> str:
    """The time of the event that is so many after the first."""
    return (START + timedelta(seconds=seconds)).isoformat()


QUEUED = JobQueued(
    job_id=JOB,
    kind="train",
    dataset_id=DATASET,
    dataset_version=4,
    object_key="k",
    columns=(Column(name="target", type="text"),),
    target="target",
    model="wine",
    reason="its data set is valid",
)
TRAINED = JobTrained(
    job_id=JOB,
    attempt=1,
    kind="train",
    dataset_id=DATASET,
    dataset_version=4,
    target="target",
    model="wine",
    task="classification",
    metrics={"accuracy": 0.97},
    baseline={"accuracy": 0.4},
    details={"rows": 45},
    plan={"seed": 7},
    artifacts={"model": Artifact(object_key="m", size_bytes=1, sha256="0")},
    reason="measured",
)
SUCCEEDED = JobSucceeded(
    job_id=JOB,
    task="classification",
    metrics={"accuracy": 0.97},
    baseline={"accuracy": 0.4},
    model=ModelReference(name="wine", version=2),
    reason="its model is registered",
)
CANCELED = JobCanceled(job_id=JOB, reason="a mistake")
EXPIRED = JobExpired(job_id=JOB, reason="600 s are over")


def started(attempt: int = 1) -> JobStarted:
    """An attempt begins."""
    return JobStarted(job_id=JOB, attempt=attempt, reason="a worker took it up")


def progressed(fraction: float, attempt: int = 1) -> JobProgressed:
    """An attempt gets on."""
    return JobProgressed(job_id=JOB, attempt=attempt, stage="fitting", fraction=fraction)


def failed(code: str = "too_few_rows") -> JobFailed:
    """It ends without a model."""
    return JobFailed(
        job_id=JOB,
        attempt=1,
        failure=Failure(failure_class="user_data", code=code, message="9 rows"),
        reason="9 rows",
    )
