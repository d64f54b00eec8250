"""What passes between the worker and the child that trains; light, for both sides import it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from consumers.training.plan import Frozen, LeftOut, Plan, Task
from schemas.datasets import Column, ColumnType

__all__ = ["Column", "ColumnType"]


class TrainRequest(Frozen):
    """`columns` are those of the validated dataset, in the file's order; a given `plan` is taken as
    it is.

    `options` are the tenant's: `task`, `profile`, `seed`. `model_task` is that of the model's
    earlier versions.
    """

    path: str
    columns: tuple[Column, ...]
    target: str
    options: dict[str, Any] = Field(default_factory=dict)
    budget_seconds: float = Field(default=60.0, gt=0)
    seed: int = Field(default=0, ge=0, lt=2**32)
    plan: Plan | None = None
    model_task: Task | None = None


class Score(Frozen):
    """A candidate's cross-validation on the training rows, by the plan's `scoring` (greater is
    better).
    """

    candidate: str
    mean: float
    folds: tuple[float, ...]
    seconds: float


class ClassMeasures(Frozen):
    label: str
    precision: float
    recall: float
    f1: float
    support: int


class Details(Frozen):
    """`confusion` is by true row and predicted column, in the order of `classes`; both empty in a
    regression.

    `left_out` are the first columns that were not learned from (the plan names all of them),
    `notes` what else a reader of the measures must know.
    """

    fit_seconds: float
    rows: int
    rows_without_target: int
    features: int
    train_rows: int
    test_rows: int
    peak_memory_bytes: int
    stratified: bool
    folds: int
    scores: tuple[Score, ...]
    task_reason: str = ""
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    per_class: tuple[ClassMeasures, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()


class ArtifactFile(Frozen):
    """A file that the child left in its working directory."""

    name: str
    size_bytes: int
    sha256: str


class TrainResult(Frozen):
    """`metrics` of the chosen candidate on the held-out rows, and of a dummy `baseline` by the same
    names.

    `cut_short` names the candidates of the plan that the deadline did not leave time for.
    """

    task: Task
    target: str
    chosen: str
    metrics: dict[str, float]
    baseline: dict[str, float]
    details: Details
    plan: Plan
    cut_short: tuple[str, ...]
    artifacts: tuple[ArtifactFile, ...]
