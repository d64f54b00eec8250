"""From the plan's words to scikit-learn: the pipeline of a candidate, the split, the folds.

The rules here are the documented ones: whoever writes them down again in a plain script gets the
same figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn import ensemble, linear_model
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from consumers.training.plan import Candidate, Plan
from consumers.training.protocol import Column
from consumers.training.table import Array

# A plan names an estimator; only these can be meant.
ESTIMATORS: dict[str, Any] = {
    "LogisticRegression": linear_model.LogisticRegression,
    "Ridge": linear_model.Ridge,
    "RandomForestClassifier": ensemble.RandomForestClassifier,
    "RandomForestRegressor": ensemble.RandomForestRegressor,
    "HistGradientBoostingClassifier": ensemble.HistGradientBoostingClassifier,
    "HistGradientBoostingRegressor": ensemble.HistGradientBoostingRegressor,
}
Categories = Mapping[str, Sequence[str]]


def build_pipeline(candidate: Candidate, columns: Sequence[Column], categories: Categories) -> Any:
    """Numbers: median, then scaled. Booleans: most frequent. Text: most frequent, then one-hot.
    Then the estimator.

    `categories` has those of each text column; a column without any is dropped.
    """
    numeric = [column.name for column in columns if column.type in ("integer", "number")]
    boolean = [column.name for column in columns if column.type == "boolean"]
    text = [column.name for column in columns if column.type == "text" and categories[column.name]]
    steps: list[tuple[str, Any, list[str]]] = []
    if numeric:
        median = SimpleImputer(strategy="median", keep_empty_features=True)
        steps.append(
            ("numeric", Pipeline([("impute", median), ("scale", StandardScaler())]), numeric)
        )
    if boolean:
        steps.append(
            ("boolean", SimpleImputer(strategy="most_frequent", keep_empty_features=True), boolean)
        )
    if text:
        frequent = SimpleImputer(
            missing_values=None, strategy="most_frequent", keep_empty_features=True
        )
        known = [np.array(categories[name], dtype=object) for name in text]
        encode = OneHotEncoder(categories=known, handle_unknown="ignore", sparse_output=False)
        steps.append(("text", Pipeline([("impute", frequent), ("encode", encode)]), text))
    prepare = ColumnTransformer(steps, sparse_threshold=0.0)
    return Pipeline(
        [("prepare", prepare), ("estimator", ESTIMATORS[candidate.estimator](**candidate.params))]
    )


def split(target: Array, plan: Plan) -> tuple[Array, Array, bool]:
    """Row numbers to train on and to hold out, and whether each class is in both by its share.

    `train_test_split(rows, test_size=held_out_fraction, random_state=seed)`, with `stratify=target`
    in a classification whose held-out part has room for a row of each class.
    """
    rows = np.arange(len(target))
    stratify = None
    if plan.task == "classification":
        counts = np.unique(target, return_counts=True)[1]
        held_out = int(np.ceil(plan.held_out_fraction * len(target)))
        if counts.min() > 1 and len(counts) <= min(held_out, len(target) - held_out):
            stratify = target
    train, test = train_test_split(
        rows,
        test_size=plan.held_out_fraction,
        random_state=plan.seed,
        shuffle=True,
        stratify=stratify,
    )
    return train, test, stratify is not None


def folds_for(target: Array, plan: Plan) -> int:
    """The plan's folds, or as many as the rarest class has training rows, if that is at least
    two.
    """
    rarest = (
        int(np.unique(target, return_counts=True)[1].min())
        if plan.task == "classification"
        else plan.folds
    )
    return min(plan.folds, rarest) if rarest > 1 else plan.folds


def folds(target: Array, plan: Plan) -> Iterator[tuple[Array, Array]]:
    """Row numbers to train on and to score, by fold.

    Stratified when each class has a training row for every fold. Else a fold whose training rows
    have one class alone is left out: nothing can be learned from them.
    """
    kind = KFold
    if (
        plan.task == "classification"
        and np.unique(target, return_counts=True)[1].min() >= plan.folds
    ):
        kind = StratifiedKFold
    parted = kind(n_splits=plan.folds, shuffle=True, random_state=plan.seed)
    for train, test in parted.split(np.zeros(len(target)), target):
        if plan.task == "regression" or len(np.unique(target[train])) > 1:
            yield train, test
