"""Models, each with immutable versions."""

from uuid import UUID

from pydantic import JsonValue

from schemas.jobs import Artifact
from schemas.names import normal_name
from schemas.payload import Frozen, Payload


class ModelTask(Frozen):
    """What every version of a model predicts."""

    target: str
    task: str


def task_mismatch(model: str, known: ModelTask | None, target: str, task: object) -> str | None:
    """Why a job for this target and task (None while it is not known) cannot add a version to the
    model.

    The targets are the same when they look the same: a request names one as it was written, and
    versions of earlier releases kept it so.
    """
    if known is None:
        return None
    if normal_name(known.target) == normal_name(target) and task in (None, known.task):
        return None
    asked = f"{target!r}" + ("" if task is None else f" by {task}")
    return (
        f"The model {model!r} predicts {known.target!r} by {known.task}; this job is to predict "
        f"{asked}. "
        "Give the job another model name."
    )


class ModelRegistered(Payload, type="model.registered"):
    """A new version of a model, with its lineage and how well it does."""

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
