"""Models: lines of immutable versions."""

from uuid import UUID

from pydantic import JsonValue

from schemas.jobs import Artifact
from schemas.payload import Payload


class ModelRegistered(Payload, type="model.registered"):
    """A new version of a model line, with its lineage and how well it does."""

    name: str
    version: int
    job_id: UUID
    dataset_id: UUID
    dataset_version: int
    target: str
    task: str
    metrics: dict[str, float]
    baseline: dict[str, float]
    details: dict[str, JsonValue]
    artifacts: dict[str, Artifact]
