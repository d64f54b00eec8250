"""Cells are read as they are meant, and what is read otherwise than it is written is said with
its rows.
"""

from pathlib import Path

import pytest

from consumers.table_reader.rules import MISSING_WORDS
from tests.unit.table_reader.reading import column, validated

NUMBERS = tuple(str(place / 4) for place in range(12))
WORDS = ("red", "green", "blue") * 4


@pytest.mark.parametrize("word", ["NA", "null", "None", "nan", "NULL", "N/A", "?", "-"])
def test_among_words_only_the_empty_cell_is_missing(word: str, tmp_path: Path) -> None:
    found, findings = column(tmp_path, [*WORDS, word, word, ""])
    assert (found.type, found.missing, found.empty, found.distinct) == ("text", (), 1, 4)
    kept = findings["missing_words_kept"]
    assert (kept.count, kept.rows, kept.samples) == (2, (14, 15), (word,))


@pytest.mark.parametrize("word", MISSING_WORDS)
def test_among_numbers_the_usual_words_are_missing_and_named(word: str, tmp_path: Path) -> None:
    found, findings = column(tmp_path, [*NUMBERS, word, "", word])
    assert (found.type, found.missing, found.empty) == ("number", (word,), 3)
    finding = findings["missing_words"]
    assert (finding.count, finding.rows, finding.samples) == (2, (14, 16), (word,))
    assert f"'{word}' (2)" in finding.message


@pytest.mark.parametrize(
    ("values", "kind", "looks_like"),
    [
        pytest.param(["1", "2"] * 8, "integer", None, id="integers"),
        pytest.param(["1.5", "1e3"] * 8, "number", None, id="numbers"),
        pytest.param(["true", "False"] * 8, "boolean", None, id="booleans"),
        pytest.param(["2025-01-02", "2025-02-03"] * 8, "text", "dates", id="dates"),
        pytest.param(["007", "010"] * 8, "text", None, id="ids"),
    ],
)
def test_words_are_missing_beside_any_other_kind_of_value(
    values: list[str], kind: str, looks_like: str | None, tmp_path: Path
) -> None:
    found, findings = column(tmp_path, [*values, "n/a", "None"])
    assert (found.type, found.looks_like, found.missing) == (kind, looks_like, ("None", "n/a"))
    assert findings["missing_words"].count == 2


def test_one_word_that_is_no_number_keeps_a_column_as_it_is_written(tmp_path: Path) -> None:
    found, findings = column(tmp_path, [*NUMBERS, "n/a", "sold"])
    assert (found.type, found.missing) == ("text", ())
    finding = findings["mostly_numbers"]
    assert (finding.count, finding.rows, finding.samples) == (2, (14, 15), ("n/a", "sold"))


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("007", "leading_zeros"),
        ("-007", "leading_zeros"),
        ("00", "leading_zeros"),
        ("02.50", "leading_zeros"),
        ("+4917012345678", "phone_numbers"),
        ("12345678901234567890", "long_digits"),
        ("9007199254740993", "long_digits"),
    ],
)
def test_ids_keep_their_digits(value: str, rule: str, tmp_path: Path) -> None:
    found, findings = column(tmp_path, ["1", "2", "3"] * 4 + [value])
    assert found.type == "text"
    assert {one.value for one in found.top} == {"1", "2", "3", value}
    finding = findings[rule]
    assert (finding.count, finding.rows, finding.samples) == (1, (14,), (value,))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["0", "1"], "integer"),
        (["0", "-0"], "integer"),
        (["0.5", "0"], "number"),
        (["-0.25", "+0.5"], "number"),
        (["+5", "-3"], "integer"),
        (["0e-3", "1"], "number"),
        (["1e+20", "1.5E-3"], "number"),
        (["9007199254740991", "1"], "integer"),
        (["1000000000000000000000000", "1"], "number"),
        (["0.1234567890123456789", "1"], "number"),
    ],
)
def test_what_only_looks_like_an_id_is_a_number(
    values: list[str], kind: str, tmp_path: Path
) -> None:
    found, findings = column(tmp_path, values * 6)
    assert (found.type, findings) == (kind, {})


def test_digits_that_a_number_loses_are_said(tmp_path: Path) -> None:
    found, findings = column(tmp_path, [*NUMBERS, "12345678901234567891"])
    assert found.type == "number"
    assert findings["digits_lost"].rows == (14,)


@pytest.mark.parametrize(
    "value",
    [
        "2025-01-31",
        "2025-1-3",
        "2025-01-31 10:30",
        "2025-01-31T10:30:00Z",
        "2025-01-31T10:30:00.123+02:00",
        "2025/01/31",
        "31.01.2025",
        "1.2.2025 7:05",
        "31.01.25",
        "01/31/2025",
        "31/01/2025",
        "1/5/24 3:05 PM",
        "31-01-2025",
        "2025-01",
        "3 Jan 2025",
        "03-Jan-25",
        "January 3, 2025",
        "2025-W05",
        "20250131T101500Z",
    ],
)
def test_dates_are_recognized_in_the_common_forms(value: str, tmp_path: Path) -> None:
    found, findings = column(tmp_path, [value, "2024-12-31"] * 8)
    assert (found.type, found.looks_like) == ("text", "dates")
    finding = findings["looks_like_dates"]
    assert (finding.count, finding.rows[:2], finding.samples) == (16, (2, 3), (value, "2024-12-31"))


@pytest.mark.parametrize(
    "value", ["1.2.10", "2025-13-01", "24:30", "1/2", "01.02", "2025", "a 2025-01-01"]
)
def test_what_is_no_date_is_none(value: str, tmp_path: Path) -> None:
    found, findings = column(tmp_path, [value, "x"] * 8)
    assert found.looks_like is None
    assert "looks_like_dates" not in findings


def test_a_few_other_values_among_dates_are_pointed_out(tmp_path: Path) -> None:
    found, findings = column(tmp_path, [f"2025-01-{day:02}" for day in range(1, 20)] + ["soon"])
    assert found.looks_like is None
    finding = findings["mostly_dates"]
    assert (finding.count, finding.rows, finding.samples) == (1, (21,), ("soon",))


def test_text_that_differs_in_every_row_is_said(tmp_path: Path) -> None:
    _, findings = column(tmp_path, [f"user-{place}" for place in range(300)])
    finding = findings["unique_text"]
    assert (finding.count, finding.rows[:2], finding.samples[0]) == (300, (2, 3), "user-0")
    assert "every value" in finding.message


def test_the_same_value_everywhere_and_the_same_value_with_gaps_are_told_apart(
    tmp_path: Path,
) -> None:
    _, findings = column(tmp_path, ["x"] * 12)
    assert findings["column_constant"].message == "the same value in all rows"
    _, findings = column(tmp_path, ["x"] * 8 + [""] * 4)
    finding = findings["column_constant"]
    assert finding.message == "one value in 8 rows, 4 are empty"
    assert (finding.count, finding.rows[:1], finding.samples) == (8, (2,), ("x",))
    _, findings = column(tmp_path, ["007"] * 12)
    assert findings["column_constant"].samples == ("007",)
    _, findings = column(tmp_path, ["12345678901234567890", "12345678901234567891"] * 6)
    assert "column_constant" not in findings


def test_a_column_of_such_words_alone_has_no_value(tmp_path: Path) -> None:
    found, findings = column(tmp_path, ["NA", "n/a", ""] * 4)
    assert (found.empty, found.missing) == (12, ("NA", "n/a"))
    assert findings["column_empty"].message == (
        "no value in any row: 'NA' (4), 'n/a' (4) are missing; to keep them upload with "
        "types=x:text"
    )


def test_numbers_that_may_be_codes_are_said(tmp_path: Path) -> None:
    found, findings = column(tmp_path, ["1204", "12E4", "33"] * 4)
    assert found.type == "number"
    finding = findings["scientific_notation"]
    assert (finding.count, finding.rows[:2], finding.samples) == (4, (3, 6), ("12E4",))


@pytest.mark.parametrize(
    "value",
    ["1,5", "1.234,50", "1,234.50", "€ 12", "12 €", "12.50 EUR", "7 %", "1 234", "1'234", "-3,25"],
)
def test_numbers_as_people_write_them_are_said(value: str, tmp_path: Path) -> None:
    found, findings = column(tmp_path, [value, "2,5", "n/a", "12"] * 4)
    assert found.type == "text"
    finding = findings["numbers_written_otherwise"]
    assert (finding.count, finding.rows[0], finding.samples[0]) == (8, 2, value)


def test_numbers_in_half_of_the_cells_are_said(tmp_path: Path) -> None:
    found, findings = column(tmp_path, [*NUMBERS, *["unknown"] * 4])
    assert found.type == "text"
    finding = findings["mostly_numbers"]
    assert (finding.count, finding.rows, finding.samples) == (4, (14, 15, 16, 17), ("unknown",))


def test_more_words_than_an_event_holds_reject_the_file(tmp_path: Path) -> None:
    words = [f"w{place:098}" for place in range(200)]
    names = ",".join(f"c{place}" for place in range(12))
    lines = "".join(",".join([word] * 12) + "\n" for word in words)
    result = validated(tmp_path, f"{names}\n{lines}{'1,' * 11}1\n", missing=words)
    assert "too_many_words" in {one.rule for one in result.report if one.severity == "error"}


def test_numbers_that_are_too_large_to_compute_with_are_said(tmp_path: Path) -> None:
    found, findings = column(tmp_path, [*NUMBERS, "1e300", "", "-2e200"])
    assert (found.type, found.max) == ("number", 1e300)
    finding = findings["out_of_range"]
    assert (finding.count, finding.rows, finding.samples) == (2, (14, 16), ("1e300", "-2e200"))


def test_rows_are_numbered_as_in_the_file(tmp_path: Path) -> None:
    lines = "1,2\n\n3,4\n,\n" + "5,6\n" * 10 + '"7","a\nb"\n8,c\n'
    result = validated(tmp_path, f"n,x\n{lines}")
    rows = {one.rule: (one.rows, one.samples) for one in result.report}
    assert rows["blank_row"] == ((3, 5), ())
    assert rows["mostly_numbers"] == ((16, 17), ("a\\nb", "c"))


@pytest.mark.parametrize("name", ["*", "^a.*$", "c0", "row", "a,b", 'say "x"', "^*", "$^", "\\d"])
def test_any_name_is_a_name(name: str, tmp_path: Path) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    lines = "".join(
        f"{place % 5},{'yes' if place % 2 else 'no'},{place % 3}\n" for place in range(12)
    )
    result = validated(tmp_path, f"a,{quoted},abc\n{lines}")
    assert [one.name for one in result.columns] == ["a", name, "abc"]
    assert [one.type for one in result.columns] == ["integer", "text", "integer"]
    assert result.columns[1].top[0].count == 6
