"""Another delimiter is told by what most records have, not by each of them."""

from pathlib import Path

import pytest

from tests.unit.table_reader.reading import validated

SALES = "Datum;Menge;Preis,EUR\n" + "".join(
    f"{n % 28 + 1}.1.25;{n % 3};{n % 4},50\n" for n in range(60)
)


@pytest.mark.parametrize("last", ["Summe;60,5\n", "31.1.25;3;a;b,5\n", "Summe;60,5\n" * 6])
def test_a_few_records_that_differ_hide_no_delimiter(last: str, tmp_path: Path) -> None:
    result = validated(tmp_path, SALES + last)
    assert (result.valid, [one.rule for one in result.report]) == (False, ["wrong_delimiter"])
    said = f"60 of {60 + last.count(chr(10))} rows have 2 semicolons"
    assert said in result.report[0].message


@pytest.mark.parametrize(("last", "is_said"), [("a,1\n" * 30, True), ("a,1\n" * 61, False)])
def test_a_delimiter_in_half_of_the_records_is_a_warning(
    last: str, *, is_said: bool, tmp_path: Path
) -> None:
    result = validated(tmp_path, SALES + last)
    found = [one for one in result.report if one.rule == "other_delimiter"]
    assert (result.valid, len(found)) == (True, is_said)


def test_carets_are_a_delimiter_and_colons_may_be(tmp_path: Path) -> None:
    rows = "".join(f"{n}x{n % 3},{n % 4}\n" for n in range(12))
    result = validated(tmp_path, f"a^b^c,d\n{rows.replace('x', '^2^')}")
    assert [one.rule for one in result.report] == ["wrong_delimiter"]
    assert "2 carets" in result.report[0].message
    result = validated(tmp_path, f"a:b,c\n{rows.replace('x', ':')}")
    assert result.valid
    assert "1 colon " in next(one.message for one in result.report if one.rule == "other_delimiter")
    result = validated(tmp_path, f"start,c\n{rows.replace('x', ':')}")
    assert "other_delimiter" not in {one.rule for one in result.report}
