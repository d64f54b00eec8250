"""What validation decides about cells is what a model learns from."""

from pathlib import Path

import pytest

from tests.unit.training.running import csv_of, result

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about few rows


@pytest.mark.parametrize(
    "classes",
    [
        ("EU", "NA", "APAC"),
        ("007", "010", "0071"),
        ("null", "None", "nan"),
        ("7.10", "007.1", "7.1"),
    ],
    ids=["NA", "zeros", "words alone", "decimals"],
)
def test_the_classes_are_the_values_of_the_file(classes: tuple[str, ...], tmp_path: Path) -> None:
    if classes[0] == "null":
        classes = (*classes, "yes")  # beside another word these are words
    rows = [
        f"{place % len(classes) * 10 + place % 3},{classes[place % len(classes)]}"
        for place in range(48)
    ]
    found = result(tmp_path, csv_of("x,y", rows), "y")
    assert found.task == "classification"
    assert set(found.details.classes) == set(classes)
    assert found.details.rows_without_target == 0


def test_words_for_a_missing_value_are_no_rows_of_the_target(tmp_path: Path) -> None:
    words = ("None", "n/a", "?", "#N/A")
    rows = [
        f"{place},{words[place % 16 // 4] if place % 4 == 0 else place * 2.5}"
        for place in range(64)
    ]
    found = result(tmp_path, csv_of("area,price", rows), "price")
    assert (found.task, found.details.rows_without_target) == ("regression", 16)


def test_a_column_with_a_name_like_a_pattern_is_learned_from(tmp_path: Path) -> None:
    rows = [f"{place % 7},{place % 3},{'yes' if place % 2 else 'no'}" for place in range(40)]
    for target in ("*", "^a.*$"):
        names = ["a", "b", target]
        found = result(tmp_path, csv_of(",".join(names), rows), target)
        assert set(found.details.classes) == {"no", "yes"}
    found = result(tmp_path, csv_of("*,^a.*$,y", rows), "y")
    assert found.details.features == 2
