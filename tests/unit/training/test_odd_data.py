"""Kinds of data that users have: rare classes, whole floats, ratings, dates, ids, and numbers of
any size.
"""

import json
import random
from pathlib import Path

import pytest

from schemas.bounds import MOST_EVENT_BYTES, json_size_of
from tests.unit.training.running import csv_of, refused, result

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about few rows


def payments(rows: int, frauds: int, seed: int) -> str:
    """`frauds` of the rows are of the rare class, in any order."""
    chance = random.Random(seed)
    labels = ["yes"] * frauds + ["no"] * (rows - frauds)
    chance.shuffle(labels)
    return csv_of(
        "amount,hour,fraud",
        [f"{chance.random():.3f},{chance.randrange(24)},{label}" for label in labels],
    )


@pytest.mark.parametrize(("rows", "frauds"), [(10, 2), (40, 2), (40, 3)])
def test_a_rare_class_is_learned_whatever_the_seed_and_the_order(
    rows: int, frauds: int, tmp_path: Path
) -> None:
    for seed in range(5):
        found = result(tmp_path, payments(rows, frauds, seed), "fraud", {"seed": seed})
        assert found.details.classes == ("no", "yes")
        assert found.details.scores[0].folds
        assert found.details.notes


def test_every_candidate_takes_a_rare_class(tmp_path: Path) -> None:
    found = result(tmp_path, payments(10, 2, 3), "fraud", {"seed": 1}, budget_seconds=60.0)
    assert [score.candidate for score in found.details.scores] == [
        "logistic_regression",
        "random_forest",
        "hist_gradient_boosting",
    ]


def test_few_rows_of_many_classes(tmp_path: Path) -> None:
    rows = [f"{row},{'abcdefgh'[row % 5]}" for row in range(10)]
    found = result(tmp_path, csv_of("x,y", rows), "y")
    assert len(found.details.classes) == 5
    assert any("no held-out row" in note for note in found.details.notes)


def test_whole_floats_are_the_classes_that_the_integers_are(tmp_path: Path) -> None:
    lines = [(row, row * 7 % 11, row % 3 == 0) for row in range(30)]
    integers = csv_of("a,b,churned", [f"{a},{b},{int(label)}" for a, b, label in lines])
    floats = csv_of(
        "a,b,churned", [f"{a},{b},{float(label)}" for a, b, label in [*lines, (0, 0, 0)]]
    )
    floats = floats.replace("0,0,0.0", "0,0,")
    first, second = result(tmp_path, integers, "churned"), result(tmp_path, floats, "churned")
    assert (first.task, second.task) == ("classification", "classification")
    assert first.details.classes == second.details.classes == ("0", "1")
    assert first.metrics == second.metrics


def test_ratings_of_which_one_was_given_once_are_a_regression_and_say_why(tmp_path: Path) -> None:
    ratings = csv_of(
        "visits,rating", [f"{row},{10 if row == 5 else row % 9 + 1}" for row in range(100)]
    )
    found = result(tmp_path, ratings, "rating")
    assert found.task == "regression"
    assert "too few for a class" in found.details.task_reason
    assert (
        "options.task=regression"
        in refused(tmp_path, ratings, "rating", {"task": "classification"}).message
    )


def test_the_task_of_a_model_stays_the_one_of_its_versions(tmp_path: Path) -> None:
    ratings = csv_of("visits,rating", [f"{row},{row % 5 + 1}" for row in range(100)])
    assert result(tmp_path, ratings, "rating").task == "classification"
    assert result(tmp_path, ratings, "rating", model_task="regression").task == "regression"


def test_a_date_alone_is_no_feature(tmp_path: Path) -> None:
    rows = [f"2025-{row // 28 + 1:02d}-{row % 28 + 1:02d},{row * 7 % 13}.5" for row in range(100)]
    refusal = refused(tmp_path, csv_of("day,value", rows), "value")
    assert (refusal.failure_class, refusal.code) == ("user_data", "no_features")
    assert "'day': dates are not used; columns of numbers made from them are" in refusal.message


def test_dates_that_recur_are_left_out_and_named(tmp_path: Path) -> None:
    rows = [f"2025-01-{row % 9 + 1:02d},{row % 10},{row % 3}" for row in range(60)]
    found = result(tmp_path, csv_of("day,size,y", rows), "y")
    assert [one.name for one in found.details.left_out] == ["day"]
    assert "dates" in found.details.left_out[0].reason


def test_ids_and_free_text_are_left_out_and_not_in_the_model(tmp_path: Path) -> None:
    rows = [
        f"customer-{row:04d},{'red' if row % 3 else 'blue'},{row % 10},{row % 3}"
        for row in range(60)
    ]
    found = result(tmp_path, csv_of("customer,colour,size,y", rows), "y")
    assert [one.name for one in found.details.left_out] == ["customer"]
    assert "60 different texts in 60 rows" in found.details.left_out[0].reason
    assert found.plan.columns_left_out == ("customer",)
    for file in ("model.json", "model.skops"):
        assert b"customer-0" not in (tmp_path / file).read_bytes()
    inputs = json.loads((tmp_path / "model.json").read_text())["inputs"]
    assert [one["name"] for one in inputs] == ["colour", "size"]


def test_a_word_that_occurs_once_is_not_in_the_model(tmp_path: Path) -> None:
    rows = [
        f"{'alice@example.com' if row == 7 else 'none'},{row % 10},{row % 3}" for row in range(60)
    ]
    result(tmp_path, csv_of("note,size,y", rows), "y")
    (note, _) = json.loads((tmp_path / "model.json").read_text())["inputs"]
    assert (note["categories"], note["categories_cut"]) == (["none"], True)


@pytest.mark.parametrize("column", ["x", "y"])
def test_numbers_that_cannot_be_scaled_are_refused_with_their_column(
    column: str, tmp_path: Path
) -> None:
    rows = [f"{row % 7},{row},{'1e300' if row == 3 else row * 0.37}" for row in range(40)]
    names = "z,y,x" if column == "x" else "z,x,y"
    refusal = refused(tmp_path, csv_of(names, rows), "y", {"task": "regression"})
    assert (refusal.failure_class, refusal.code) == ("user_data", "out_of_range")
    assert repr(column) in refusal.message
    assert "row 5)" in refusal.message


def test_a_value_far_from_all_that_was_trained_on_is_refused(tmp_path: Path) -> None:
    rows = [f"{row % 7},{'1e60' if row == 3 else f'{row}e-20'},{row % 2}" for row in range(40)]
    for seed in range(4):  # whichever part the value falls into
        found = refused(tmp_path, csv_of("z,x,y", rows), "y", {"seed": seed}, budget_seconds=60.0)
        assert found.code == "out_of_range"
        assert "1e60 (row 5)" in found.message


def test_a_target_of_tiny_differences_is_refused(tmp_path: Path) -> None:
    rows = [f"{row},{row}.5e-200" for row in range(40)]
    assert refused(tmp_path, csv_of("x,y", rows), "y").code == "out_of_range"


def test_a_hundred_and_fifty_classes(tmp_path: Path) -> None:
    rows = [f"{row},{row * 31 % 97},c{row % 150}" for row in range(450)]
    assert len(result(tmp_path, csv_of("a,b,y", rows), "y").details.classes) == 150


def test_the_stored_plan_gives_the_same_again(tmp_path: Path) -> None:
    text = payments(40, 2, 1)
    first = result(tmp_path, text, "fraud", {"seed": 3})
    again = result(tmp_path, text, "fraud", plan=first.plan)
    assert (again.plan, again.metrics) == (first.plan, first.metrics)


def test_many_columns_that_are_not_used_fit_into_an_event(tmp_path: Path) -> None:
    names = [f"{place:04d}".ljust(126, "x") for place in range(300)]
    day = ",".join(["2025-01-01"] * len(names))
    rows = [f"{day},{row % 10},{row % 3}" for row in range(20)]
    found = result(tmp_path, csv_of(",".join([*names, "size", "y"]), rows), "y")
    assert found.plan.columns_left_out == tuple(names)
    assert [one.name for one in found.details.left_out] == names[:200]
    assert "100 more columns are not used" in found.details.notes[-1]
    assert json_size_of(found.model_dump(mode="json")) < MOST_EVENT_BYTES / 9


def test_people_with_two_rows_each_are_not_in_the_model(tmp_path: Path) -> None:
    rows = [f"p{row % 30}@example.com,{row % 10},{row % 3}" for row in range(60)]
    found = result(tmp_path, csv_of("mail,size,y", rows), "y")
    assert [one.name for one in found.details.left_out] == ["mail"]
    assert "@example.com" not in (tmp_path / "model.json").read_text()
    again = result(tmp_path, csv_of("mail,size,y", rows), "y", plan=found.plan)
    assert again.details.left_out == found.details.left_out


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (("1.1", "1.10", "1.2"), "1.1 and 1.10 are one class; upload with types=y:text"),
        (("1", "+1", "2"), "+1 and 1 are one class;"),
        (("-0", "0", "1"), "-0 and 0 are one class;"),
    ],
)
def test_classes_that_are_written_in_two_ways_are_noted(
    written: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    rows = [f"{row % 7},{written[row % 3]}" for row in range(60)]
    found = result(tmp_path, csv_of("x,y", rows), "y", {"task": "classification"})
    assert len(found.details.classes) == 2
    assert found.details.notes[0].startswith(said)


def test_large_whole_numbers_have_no_fractions(tmp_path: Path) -> None:
    rows = [f"{row % 7},{('1e16', '2e16', '3')[row % 3]}" for row in range(60)]
    found = result(tmp_path, csv_of("x,y", rows), "y")
    assert (found.task, "beyond 2^53" in found.details.task_reason) == ("regression", True)


def test_a_rare_class_of_a_model_asks_for_another_name(tmp_path: Path) -> None:
    rows = [f"{row},{9 if row == 5 else row % 2}" for row in range(60)]
    said = refused(tmp_path, csv_of("x,y", rows), "y", model_task="classification").message
    assert said.endswith("another model name and options.task=regression")
