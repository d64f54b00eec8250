"""What an upload says of its cells is done, and what does not fit is said with its rows."""

from pathlib import Path

from tests.unit.table_reader.reading import column, validated

NUMBERS = [str(place / 4) for place in range(12)]


def test_given_words_are_missing_in_every_column_and_no_others_are(tmp_path: Path) -> None:
    found, findings = column(tmp_path, ["red", "-", "NA", "blue"] * 4, missing=("-",))
    assert (found.type, found.missing, found.empty) == ("text", ("-",), 4)
    assert (findings["missing_words"].count, findings["missing_words"].rows[0]) == (4, 3)
    found, findings = column(tmp_path, [*NUMBERS, "NA"], missing=("-",))
    assert (found.type, found.missing) == ("text", ())
    assert findings["mostly_numbers"].samples == ("NA",)


def test_a_number_can_be_given_as_a_word_that_is_missing(tmp_path: Path) -> None:
    found, findings = column(tmp_path, [*NUMBERS, "-999", "-999"], missing=("-999",))
    assert (found.type, found.min, found.empty) == ("number", 0.0, 2)
    assert findings["missing_words"].rows == (14, 15)


def test_no_word_is_missing_where_none_is_given(tmp_path: Path) -> None:
    found, _ = column(tmp_path, [*NUMBERS, "NA", ""], missing=())
    assert (found.type, found.empty) == ("text", 1)


def test_a_given_type_is_the_type(tmp_path: Path) -> None:
    found, findings = column(tmp_path, ["007", "010", "NA"] * 4, types={"x": "integer"})
    assert (found.type, found.missing, found.max) == ("integer", ("NA",), 10)
    assert set(findings) == {"missing_words"}
    found, findings = column(tmp_path, ["7", "10", "NA"] * 4, types={"x": "text"})
    assert (found.type, found.missing, found.empty, findings) == ("text", (), 0, {})


def test_a_type_that_does_not_fit_rejects_the_file_with_its_rows(tmp_path: Path) -> None:
    for kind, values, bad in (
        ("integer", ["1", "2.5", "NA", "x"], ("2.5", "x")),
        ("number", ["1", "2.5", "NA", "x"], ("x",)),
        ("boolean", ["true", "False", "NA", "1"], ("1",)),
    ):
        _, findings = column(tmp_path, [*values, *[values[0]] * 10], types={"x": kind})
        finding = findings["type_mismatch"]
        assert (finding.severity, finding.samples) == ("error", bad)
        assert finding.rows == tuple(values.index(one) + 2 for one in bad)


def test_a_type_of_a_column_that_is_not_there(tmp_path: Path) -> None:
    content = "zip code,x\n" + "1,2\n" * 12
    result = validated(tmp_path, content, types={"zip cod": "text"})
    (finding,) = [one for one in result.report if one.rule == "unknown_column"]
    assert (result.valid, finding.severity) == (False, "error")
    assert "'zip code'" in finding.message
    assert validated(tmp_path, content, types={"zip cod": "text"}, is_remembered=True).valid
    result = validated(tmp_path, content, types={" zip\u00a0code": "text"})
    assert (result.valid, result.columns[0].type) == (True, "text")


def test_typed_values_are_what_they_were(tmp_path: Path) -> None:
    said = {"typed": True, "types": {"x": "text"}}
    found, findings = column(tmp_path, ["NULL", "7", "", "007"] * 4, **said)
    assert (found.type, found.missing, found.empty) == ("text", (), 4)
    assert findings == {}
    found, findings = column(tmp_path, ["7.5", "9", ""] * 4, **said)
    assert (found.type, found.empty) == ("text", 4)
    assert "to_number" in findings["numbers_as_text"].message
    found, findings = column(tmp_path, ["7", "9", ""] * 4, typed=True)
    assert (found.type, findings) == ("integer", {})


def test_one_text_among_numbers_of_json_is_said(tmp_path: Path) -> None:
    said = {"typed": True, "types": {"x": "text"}}
    prices = [str(place / 4) for place in range(59)]
    found, findings = column(tmp_path, [*prices, "n/a"], **said)
    assert (found.type, set(findings)) == ("text", {"mostly_numbers"})
    finding = findings["mostly_numbers"]
    assert (finding.count, finding.rows, finding.samples) == (1, (61,), ("n/a",))
    assert "null" in finding.message
    assert "to_number" in finding.message
    assert "missing=" not in finding.message
    _, findings = column(tmp_path, [*prices, "12"], **said)
    assert "at least one was sent as a text" in findings["numbers_as_text"].message
    _, findings = column(tmp_path, [f"2025-01-{day:02}" for day in range(1, 20)] + ["soon"], **said)
    assert findings["mostly_dates"].samples == ("soon",)


def test_a_column_of_type_text_keeps_the_words_that_are_missing_in_others(tmp_path: Path) -> None:
    lines = "".join(f"{n % 5},{('NA', 'a', 'b')[n % 3]}\n" for n in range(12))
    result = validated(tmp_path, f"n,x\n{lines}NA,NA\n", types={"x": "text"}, missing=("NA",))
    n, x = result.columns
    assert (n.type, n.missing, n.empty) == ("integer", ("NA",), 1)
    assert (x.type, x.missing, x.empty, x.distinct) == ("text", (), 0, 3)
