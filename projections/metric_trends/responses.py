"""What the routes of metric trends answer, for the OpenAPI document."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from schemas.measures import Better


class MetricPoint(BaseModel):
    """A metric of one version of a model."""

    model: str
    metric: str
    version: int
    value: float
    baseline: float | None
    task: str
    job_id: UUID
    time: AwareDatetime
    dataset_id: UUID | None
    dataset_version: int | None
    same_dataset: bool | None
    better: Better


class MetricSummary(BaseModel):
    """A metric over the versions of a model."""

    model: str
    metric: str
    task: str
    versions: int
    average: float
    minimum: float
    maximum: float
    p50: float
    p90: float
    latest: float
    change: float | None
    better: Better
