"""What a target asks for, and the refusals that name what is wrong with it."""

import pytest

from consumers.training.options import read_options
from consumers.training.protocol import ColumnType
from consumers.training.task import check_classes, check_distinct, check_rows, check_task, infer_task
from consumers.work.child import Refusal


@pytest.mark.parametrize(
    ("kind", "distinct", "rows", "task"),
    [
        ("text", 3, 100, "classification"),
        ("text", 90, 100, "classification"),
        ("boolean", 2, 100, "classification"),
        ("integer", 2, 10, "classification"),
        ("integer", 3, 10, "regression"),
        ("integer", 20, 100, "classification"),
        ("integer", 21, 1000, "regression"),
        ("number", 2, 100, "regression"),
    ],
)
def test_the_task_follows_from_type_and_number_of_values(kind: ColumnType, distinct: int, rows: int, task: str) -> None:
    assert infer_task(kind, distinct, rows) == task


def test_regression_on_text_is_a_mistake_in_the_configuration() -> None:
    with pytest.raises(Refusal) as caught:
        check_task("regression", "text", "colour")
    assert (caught.value.failure_class, caught.value.code) == ("user_config", "task_unsuitable")


def test_nine_rows_are_too_few() -> None:
    check_rows(10, "y")
    with pytest.raises(Refusal) as caught:
        check_rows(9, "y")
    assert (caught.value.failure_class, caught.value.code) == ("user_data", "too_few_rows")


def test_a_constant_target_is_unusable() -> None:
    check_distinct(2, "y")
    with pytest.raises(Refusal) as caught:
        check_distinct(1, "y")
    assert caught.value.code == "target_unusable"


def test_a_class_with_one_row_is_named() -> None:
    check_classes({"a": 2, "b": 2}, "y")
    with pytest.raises(Refusal, match=r"too few have 'lonely'") as caught:
        check_classes({"a": 9, "lonely": 1}, "y")
    assert caught.value.code == "target_unusable"


def test_hundreds_of_classes_are_refused() -> None:
    with pytest.raises(Refusal, match="201 classes"):
        check_classes({str(label): 2 for label in range(201)}, "y")


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
    with pytest.raises(Refusal) as caught:
        read_options(options, default_seed=0)
    assert (caught.value.failure_class, caught.value.code) == ("user_config", code)
