"""A time budget becomes a stored plan before anything is fitted.

Training again takes the plan, not the budget.
"""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas import training_options

Task = training_options.Task
Profile = training_options.Profile
Param = int | float | bool | str | None

HELD_OUT_FRACTION = 0.25
# Below this budget the fast profile is taken, and the plan says so.
STANDARD_FROM_SECONDS = 300.0
START_SECONDS = 4.0
BINARY = 2
FOLDS: dict[Profile, int] = {"fast": 3, "standard": 5}
SCORING: dict[Task, str] = {
    "classification": "balanced_accuracy",
    "regression": "neg_root_mean_squared_error",
}


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Candidate(Frozen):
    """One estimator of scikit-learn with all the parameters that are not its defaults."""

    name: str
    estimator: str
    params: dict[str, Param]


class LeftOut(Frozen):
    name: str
    reason: str


class Plan(Frozen):
    """Everything that decides the outcome besides the data; `rows` and `features` are what it was
    made for.

    `left_out` has candidates, `columns_left_out` the names of columns; `folds` are fewer than the
    profile's where a class is rare.
    """

    version: Literal[1] = 1
    task: Task
    task_reason: str = ""
    profile: Profile
    profile_reason: str
    seed: int
    folds: int
    held_out_fraction: float
    scoring: str
    rows: int
    features: int
    budget_seconds: float
    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]
    columns_left_out: tuple[str, ...] = ()


def make_plan(
    task: Task,
    rows: int,
    features: int,
    budget_seconds: float,
    seed: int,
    profile: Profile | None = None,
    classes: int = 1,
) -> Plan:
    """Candidates from the simplest on.

    The first always stays, the others while their estimated time fits.
    """
    if profile is not None:
        reason = "asked for"
    elif budget_seconds < STANDARD_FROM_SECONDS:
        profile, reason = "fast", f"the budget is below {STANDARD_FROM_SECONDS:g} seconds"
    else:
        profile, reason = "standard", f"the budget is at least {STANDARD_FROM_SECONDS:g} seconds"
    folds = FOLDS[profile]
    left = budget_seconds - START_SECONDS
    kept: list[Candidate] = []
    left_out: list[LeftOut] = []
    for candidate in _candidates(task, profile, seed):
        needed = (folds + 1) * _fit_seconds(candidate, rows, features, classes)
        if kept and needed > left:
            why = (
                f"needs an estimated {needed:.0f} seconds, {max(left, 0):.0f} are left of the "
                "budget"
            )
            left_out.append(LeftOut(name=candidate.name, reason=why))
            continue
        left -= needed
        kept.append(candidate)
    return Plan(
        task=task,
        profile=profile,
        profile_reason=reason,
        seed=seed,
        folds=folds,
        held_out_fraction=HELD_OUT_FRACTION,
        scoring=SCORING[task],
        rows=rows,
        features=features,
        budget_seconds=budget_seconds,
        candidates=tuple(kept),
        left_out=tuple(left_out),
    )


def _candidates(task: Task, profile: Profile, seed: int) -> tuple[Candidate, ...]:
    trees = 100 if profile == "fast" else 300
    iterations = 50 if profile == "fast" else 200
    kind = "Classifier" if task == "classification" else "Regressor"
    forest: dict[str, Param] = {
        "n_estimators": trees,
        "min_samples_leaf": 1,
        "random_state": seed,
        "n_jobs": 1,
    }
    boosting: dict[str, Param] = {
        "max_iter": iterations,
        "learning_rate": 0.1,
        "early_stopping": False,  # it would hold out rows of its own
        "random_state": seed,
    }
    if task == "classification":
        linear = Candidate(
            name="logistic_regression",
            estimator="LogisticRegression",
            params={"C": 1.0, "max_iter": 1000},
        )
    else:
        linear = Candidate(name="ridge", estimator="Ridge", params={"alpha": 1.0})
    return (
        linear,
        Candidate(name="random_forest", estimator=f"RandomForest{kind}", params=forest),
        Candidate(
            name="hist_gradient_boosting", estimator=f"HistGradientBoosting{kind}", params=boosting
        ),
    )


def _fit_seconds(candidate: Candidate, rows: int, features: int, classes: int) -> float:
    """A rough upper guess for one core, from the growth of each algorithm.

    It only decides what is tried.
    """
    cells = float(rows * features)
    match candidate.name:
        case "random_forest":
            trees = int(candidate.params["n_estimators"] or 0)
            return trees * (0.002 + 4e-7 * rows * math.sqrt(features) * math.log2(rows + 2))
        case "hist_gradient_boosting":
            trees = int(candidate.params["max_iter"] or 0) * (classes if classes > BINARY else 1)
            return trees * (0.005 + 1e-7 * cells)
        case _:
            return 0.1 + 2e-6 * cells
