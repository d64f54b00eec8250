"""What a target asks for, and the refusals that name what is wrong with it."""

import pytest

from consumers.training.options import read_options
from consumers.training.protocol import ColumnType
from consumers.training.task import (
    TargetValues,
    check_classes,
    check_distinct,
    check_rows,
    check_task,
    infer_task,
)
from consumers.work.child import ChildRefusal


@pytest.mark.parametrize(
    ("kind", "distinct", "rarest", "rows", "task"),
    [
        ("text", 3, 9, 100, "classification"),
        ("text", 90, 1, 100, "classification"),
        ("boolean", 2, 1, 100, "classification"),
        ("integer", 2, 5, 10, "classification"),
        ("integer", 2, 1, 10, "classification"),  # and refused: 0 and 1 are no measurements
        ("integer", 3, 2, 10, "regression"),
        ("integer", 20, 5, 100, "classification"),
        ("integer", 20, 1, 100, "regression"),
        ("integer", 21, 9, 1000, "regression"),
        ("number", 2, 50, 100, "regression"),
    ],
)
def test_the_task_follows_from_type_and_number_of_values(
    kind: ColumnType, distinct: int, rarest: int, rows: int, task: str
) -> None:
    found, reason = infer_task(TargetValues(kind, rows, distinct, rarest))
    assert found == task
    assert reason


def test_regression_on_text_is_a_mistake_in_the_configuration() -> None:
    with pytest.raises(ChildRefusal) as caught:
        check_task("regression", "text", "colour")
    assert (caught.value.failure_class, caught.value.code) == ("user_config", "task_unsuitable")


def test_nine_rows_are_too_few() -> None:
    check_rows(10, "y")
    with pytest.raises(ChildRefusal) as caught:
        check_rows(9, "y")
    assert (caught.value.failure_class, caught.value.code) == ("user_data", "too_few_rows")
    assert "types=" not in caught.value.message
    with pytest.raises(ChildRefusal) as caught:
        check_rows(0, "y")
    assert "types=y:text" in caught.value.message


def test_a_constant_target_is_unusable() -> None:
    check_distinct(2, "y", rows=40, empty=0)
    with pytest.raises(ChildRefusal, match="the same value in all rows; at least two") as caught:
        check_distinct(1, "y", rows=40, empty=0)
    assert caught.value.code == "target_unusable"


def test_the_gaps_of_a_constant_target_are_said() -> None:
    with pytest.raises(
        ChildRefusal, match=r"the same value in all rows that have one, 40 of 100 \(60 are empty\);"
    ):
        check_distinct(1, "y", rows=40, empty=60)


def test_a_class_with_one_row_is_named() -> None:
    check_classes({"a": 2, "b": 2}, "y", "text")
    with pytest.raises(ChildRefusal, match=r"too few have 'lonely'$") as caught:
        check_classes({"a": 9, "lonely": 1}, "y", "text")
    assert caught.value.code == "target_unusable"


def test_a_rare_number_is_told_of_the_regression() -> None:
    with pytest.raises(
        ChildRefusal,
        match=r"too few have '9'; to predict it as a number, ask for options\.task=regression",
    ):
        check_classes({"1": 9, "9": 1}, "y", "integer")


def test_hundreds_of_classes_are_refused() -> None:
    with pytest.raises(ChildRefusal, match="201 classes"):
        check_classes({str(label): 2 for label in range(201)}, "y", "text")


def test_options_are_read() -> None:
    options = read_options({"task": "regression", "profile": "standard", "seed": 3}, default_seed=9)
    assert (options.task, options.profile, options.seed) == ("regression", "standard", 3)
    assert read_options({}, default_seed=9).seed == 9


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"epochs": 3}, "unknown_option"),
        ({"task": "clustering"}, "invalid_option"),
        ({"task": ["regression"]}, "invalid_option"),
        ({"profile": "slow"}, "invalid_option"),
        ({"seed": True}, "invalid_option"),
        ({"seed": -1}, "invalid_option"),
        ({"seed": 2**32}, "invalid_option"),
        ({"seed": "1"}, "invalid_option"),
    ],
)
def test_unknown_options_and_values_are_refused(options: dict[str, object], code: str) -> None:
    with pytest.raises(ChildRefusal) as caught:
        read_options(options, default_seed=0)
    assert (caught.value.failure_class, caught.value.code) == ("user_config", code)


def test_the_nearest_option_is_named() -> None:
    with pytest.raises(ChildRefusal, match="did you mean 'seed'"):
        read_options({"sead": 1}, default_seed=0)
