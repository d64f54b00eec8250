"""Measures of predictions against the truth: flat names to floats, each the function of
scikit-learn it is named by.

A measure that makes no sense for the rows at hand is left out, not invented.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn import metrics

from consumers.training.labels import label_text
from consumers.training.protocol import ClassMeasures
from consumers.training.table import Array

TWO_CLASSES = 2


def classification(
    truth: Array, predicted: Array, probabilities: Array, classes: Array
) -> dict[str, float]:
    """`probabilities` has a column per class, in the order of `classes`.

    Macro means over the classes that occur.
    """
    measured = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": _balanced_accuracy(truth, predicted),
        "precision_macro": metrics.precision_score(
            truth, predicted, average="macro", zero_division=0
        ),
        "recall_macro": metrics.recall_score(truth, predicted, average="macro", zero_division=0),
        "f1_macro": metrics.f1_score(truth, predicted, average="macro", zero_division=0),
    }
    present = set(truth.tolist())
    if present <= set(classes.tolist()):
        measured["log_loss"] = metrics.log_loss(truth, probabilities, labels=classes)
    if present == set(classes.tolist()):
        if len(classes) == TWO_CLASSES:
            measured["roc_auc"] = metrics.roc_auc_score(truth == classes[1], probabilities[:, 1])
        else:
            measured["roc_auc"] = metrics.roc_auc_score(
                truth, probabilities, labels=classes, multi_class="ovr", average="macro"
            )
    return _finite(measured)


def regression(truth: Array, predicted: Array) -> dict[str, float]:
    """`mape` is a fraction, and absent when a true value is zero."""
    measured = {
        "r2": metrics.r2_score(truth, predicted),
        "mse": metrics.mean_squared_error(truth, predicted),
        "rmse": metrics.root_mean_squared_error(truth, predicted),
        "mae": metrics.mean_absolute_error(truth, predicted),
        "median_ae": metrics.median_absolute_error(truth, predicted),
    }
    if not bool((truth == 0).any()):
        measured["mape"] = metrics.mean_absolute_percentage_error(truth, predicted)
    return _finite(measured)


def per_class(truth: Array, predicted: Array, classes: Array) -> tuple[ClassMeasures, ...]:
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=classes, zero_division=0
    )
    return tuple(
        ClassMeasures(
            label=label_text(label),
            precision=float(precision[place]),
            recall=float(recall[place]),
            f1=float(f1[place]),
            support=int(support[place]),
        )
        for place, label in enumerate(classes.tolist())
    )


def confusion(truth: Array, predicted: Array, classes: Array) -> tuple[tuple[int, ...], ...]:
    matrix = metrics.confusion_matrix(truth, predicted, labels=classes)
    return tuple(tuple(int(count) for count in row) for row in matrix)


def _balanced_accuracy(truth: Array, predicted: Array) -> float:
    """The mean recall of the classes that occur.

    Scikit-learn's warns when a predicted one does not.
    """
    return float(
        np.mean([np.mean(predicted[truth == label] == label) for label in np.unique(truth)])
    )


def _finite(measured: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in measured.items() if math.isfinite(value)}
