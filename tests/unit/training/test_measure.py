"""Measures against figures worked out by hand."""

import math

import numpy as np
import pytest

from consumers.training import measure

TRUTH = np.array(["a", "a", "a", "b"], dtype=object)
PREDICTED = np.array(["a", "a", "b", "b"], dtype=object)
CLASSES = np.array(["a", "b"], dtype=object)
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]])


def test_classification_by_hand() -> None:
    measured = measure.classification(TRUTH, PREDICTED, PROBABILITIES, CLASSES)
    assert measured == pytest.approx(
        {
            "accuracy": 3 / 4,
            "balanced_accuracy": (2 / 3 + 1) / 2,
            "precision_macro": (1 + 1 / 2) / 2,
            "recall_macro": (2 / 3 + 1) / 2,
            "f1_macro": (4 / 5 + 2 / 3) / 2,
            "log_loss": -(math.log(0.9) + math.log(0.8) + math.log(0.4) + math.log(0.7)) / 4,
            "roc_auc": 1.0,  # the only b has a greater probability of b than each a
        },
        abs=1e-12,
    )


def test_three_classes_have_a_roc_auc_too() -> None:
    truth = np.array([0, 1, 2, 2])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7], [0.5, 0.2, 0.3]])
    measured = measure.classification(
        truth, np.array([0, 1, 2, 0]), probabilities, np.array([0, 1, 2])
    )
    assert measured["roc_auc"] == pytest.approx(1.0)
    assert measured["accuracy"] == 0.75


def test_roc_auc_is_absent_when_a_class_is() -> None:
    truth = np.array(["a", "a"], dtype=object)
    measured = measure.classification(truth, truth, PROBABILITIES[:2], CLASSES)
    assert "roc_auc" not in measured
    assert measured["log_loss"] == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2)
    assert measured["balanced_accuracy"] == 1.0


def test_log_loss_is_absent_when_the_truth_is_unknown_to_the_model() -> None:
    truth = np.array(["c", "a"], dtype=object)
    assert "log_loss" not in measure.classification(
        truth, PREDICTED[:2], PROBABILITIES[:2], CLASSES
    )


def test_per_class_and_confusion_by_hand() -> None:
    first, second = measure.per_class(TRUTH, PREDICTED, CLASSES)
    assert (first.label, first.precision, first.support) == ("a", 1.0, 3)
    assert first.recall == pytest.approx(2 / 3)
    assert first.f1 == pytest.approx(4 / 5)
    assert (second.label, second.precision, second.recall, second.support) == ("b", 0.5, 1.0, 1)
    assert measure.confusion(TRUTH, PREDICTED, CLASSES) == ((2, 1), (0, 1))


def test_booleans_are_labelled_as_they_are_written() -> None:
    truth = np.array([True, False])
    assert [one.label for one in measure.per_class(truth, truth, np.array([False, True]))] == [
        "false",
        "true",
    ]


def test_regression_by_hand() -> None:
    measured = measure.regression(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    total = (1 - 7 / 3) ** 2 + (2 - 7 / 3) ** 2 + (4 - 7 / 3) ** 2
    assert measured == pytest.approx(
        {
            "r2": 1 - 5 / total,
            "mse": 5 / 3,
            "rmse": math.sqrt(5 / 3),
            "mae": 1.0,
            "median_ae": 1.0,
            "mape": (0 + 1 / 2 + 2 / 4) / 3,
        },
        abs=1e-12,
    )


def test_mape_is_absent_when_a_true_value_is_zero() -> None:
    measured = measure.regression(np.array([0.0, 1.0]), np.array([0.5, 1.0]))
    assert "mape" not in measured
    assert measured["mae"] == 0.25
