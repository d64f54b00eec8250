"""Fits by the plan: cross-validates its candidates on the training rows, refits the best,
measures it held out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.model_selection import cross_val_score

from consumers.training import measure
from consumers.training.features import frequent
from consumers.training.labels import label_text
from consumers.training.notes import notes
from consumers.training.pipeline import build_pipeline, folds, split
from consumers.training.plan import Candidate, Plan
from consumers.training.protocol import Column, Details, Score
from consumers.training.ranges import check_features
from consumers.training.table import Array, Table
from consumers.work.child import peak_rss_bytes

Report = Callable[[str, float], None]
# The share of the progress bar that choosing a candidate takes.
CHOOSING = (0.1, 0.8)


@dataclass(frozen=True, slots=True)
class Fit:
    """`classes` is None in a regression."""

    pipeline: Any
    chosen: str
    classes: Array | None
    metrics: dict[str, float]
    baseline: dict[str, float]
    details: Details
    cut_short: tuple[str, ...]
    categories: dict[str, list[str]]
    """Those of each text column that the model knows."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What every candidate is scored on: the training rows and their folds."""

    columns: Sequence[Column]
    categories: dict[str, list[str]]
    features: Any
    labels: Array
    parts: list[tuple[Array, Array]]
    plan: Plan


def fit(table: Table, target: Array, plan: Plan, report: Report, deadline: float) -> Fit:
    """`deadline` is of `time.monotonic`: no candidate after the first is begun behind it."""
    train, test, stratified = split(target, plan)
    features, labels = table.features[train], target[train]
    held_out, truth = table.features[test], target[test]
    parts = list(folds(labels, plan))
    check_features(
        table, [(train, test), *((train[some], train[others]) for some, others in parts)]
    )
    categories = {
        one.name: frequent(table.feature(one.name)) for one in table.columns if one.type == "text"
    }
    work = _Work(table.columns, categories, features, labels, parts, plan)
    scores, cut_short = _compare(work, report, deadline)
    best = max(
        scores, key=lambda score: score.mean
    )  # the first of equals, and the plan begins with the simplest
    candidate = next(candidate for candidate in plan.candidates if candidate.name == best.candidate)
    report(f"fitting {candidate.name}", CHOOSING[1])
    started = time.perf_counter()
    pipeline = build_pipeline(candidate, table.columns, categories).fit(features, labels)
    fit_seconds = time.perf_counter() - started
    report("measuring", 0.9)
    dummy = (
        DummyClassifier(strategy="prior")
        if plan.task == "classification"
        else DummyRegressor(strategy="mean")
    )
    dummy.fit(np.zeros((len(labels), 1)), labels)
    blank = np.zeros((len(truth), 1))
    shape: dict[str, Any] = {}
    classes: Array | None = None
    if plan.task == "classification":
        known: Array = pipeline.classes_
        predicted = pipeline.predict(held_out)
        metrics = measure.classification(truth, predicted, pipeline.predict_proba(held_out), known)
        baseline = measure.classification(
            truth, dummy.predict(blank), dummy.predict_proba(blank), known
        )
        every = np.unique(target)
        shape = {
            "classes": tuple(label_text(label) for label in every.tolist()),
            "per_class": measure.per_class(truth, predicted, every),
            "confusion": measure.confusion(truth, predicted, every),
            "notes": notes(plan, len(parts), every.tolist(), labels.tolist(), truth.tolist()),
        }
        classes = known
    else:
        metrics = measure.regression(truth, pipeline.predict(held_out))
        baseline = measure.regression(truth, dummy.predict(blank))
    details = Details(
        fit_seconds=fit_seconds,
        rows=len(target),
        rows_without_target=table.rows_without_target,
        features=len(table.columns),
        train_rows=len(train),
        test_rows=len(test),
        peak_memory_bytes=peak_rss_bytes(),
        stratified=stratified,
        folds=len(parts),
        task_reason=plan.task_reason,
        scores=scores,
        **shape,
    )
    return Fit(pipeline, candidate.name, classes, metrics, baseline, details, cut_short, categories)


def _compare(
    work: _Work, report: Report, deadline: float
) -> tuple[tuple[Score, ...], tuple[str, ...]]:
    scores: list[Score] = []
    candidates = work.plan.candidates
    count = len(candidates)
    for place, candidate in enumerate(candidates):
        if scores and time.monotonic() > deadline:
            return tuple(scores), tuple(left.name for left in candidates[place:])
        done = CHOOSING[0] + (CHOOSING[1] - CHOOSING[0]) * place / count
        report(f"candidate {candidate.name} {place + 1}/{count}", done)
        scores.append(_score(candidate, work))
    return tuple(scores), ()


def _score(candidate: Candidate, work: _Work) -> Score:
    started = time.perf_counter()
    values = cross_val_score(
        build_pipeline(candidate, work.columns, work.categories),
        work.features,
        work.labels,
        cv=work.parts,
        scoring=work.plan.scoring,
        error_score="raise",
    )
    return Score(
        candidate=candidate.name,
        mean=float(np.mean(values)),
        folds=tuple(float(value) for value in values),
        seconds=time.perf_counter() - started,
    )
