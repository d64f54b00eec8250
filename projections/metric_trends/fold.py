"""Points of a metric trend, from a registered model version: pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from schemas.event import Event
from schemas.models import ModelRegistered


@dataclass(frozen=True, slots=True)
class Point:
    """One metric of one model version, on its held-out rows, beside the dummy baseline's."""

    tenant: UUID
    model: str
    metric: str
    version: int
    value: float
    baseline: float | None
    task: str
    job_id: UUID
    time: datetime
    dataset_id: UUID
    dataset_version: int


def points(event: Event) -> list[Point]:
    """Every metric of a version."""
    data = event.data
    if not isinstance(data, ModelRegistered):
        return []
    return [
        Point(
            event.tenantid,
            data.name,
            metric,
            data.version,
            value,
            data.baseline.get(metric),
            data.task,
            data.job_id,
            event.time,
            data.dataset_id,
            data.dataset_version,
        )
        for metric, value in sorted(data.metrics.items())
    ]
