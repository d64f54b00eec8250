"""What the routes of models answer, for the OpenAPI document."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, JsonValue

from schemas.jobs import Artifact


class ModelSummary(BaseModel):
    """A model with the measures of its newest version."""

    name: str
    versions: int
    created_at: AwareDatetime
    task: str
    target: str
    metrics: dict[str, float]
    baseline: dict[str, float]
    better_than_baseline: bool | None


class ModelVersionFields(BaseModel):
    """What every answer about a version has."""

    name: str
    version: int
    job_id: UUID
    dataset_id: UUID
    dataset_version: int
    target: str
    task: str
    metrics: dict[str, float]
    baseline: dict[str, float]
    better_than_baseline: bool | None
    created_at: AwareDatetime


class ModelVersionSummary(ModelVersionFields):
    """A version as a list shows it; `chosen` is the candidate that was fitted."""

    chosen: str | None


class ModelVersion(ModelVersionFields):
    """A version with its details, its plan and its files."""

    details: dict[str, JsonValue]
    plan: dict[str, JsonValue]
    artifacts: dict[str, Artifact]


class Model(BaseModel):
    """A model: how many versions it has, and the newest."""

    name: str
    versions: int
    latest: ModelVersion
