"""Validation in real child processes: any file gets a verdict, and what is wrong is said with
rule and row.
"""

from pathlib import Path
from typing import Any

import pytest

from consumers.work.child_result import Finished
from consumers.work.limits import MIB, ResourceLimits
from tests.integration.work_child.attempts import attempt, finished
from tests.integration.work_child.data import write

GOOD = "".join(
    f"{row},{row / 4},{'true' if row % 2 else 'False'},{'xyz'[row % 3]},NA\n" for row in range(20)
)


async def validate(content: bytes | str, directory: Path, **limits: Any) -> dict[str, Any]:
    path = directory / "data.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return dict(
        finished(await attempt("validate", {"path": str(path), "limits": limits}, directory))
    )


def rules(result: dict[str, Any], severity: str = "error") -> dict[str, list[int]]:
    return {
        finding["rule"]: finding["rows"]
        for finding in result["report"]
        if finding["severity"] == severity
    }


async def test_a_good_file_is_profiled(tmp_path: Path) -> None:
    result = await validate(
        "\ufeffa, b ,c,d,e\r\n" + GOOD.replace("\n", "\r\n") + "\r\n,,,,\r\n", tmp_path
    )
    assert result["valid"]
    assert result["rows"] == 20
    columns = {column["name"]: column for column in result["columns"]}
    assert {name: column["type"] for name, column in columns.items()} == {
        "a": "integer",
        "b": "number",
        "c": "boolean",
        "d": "text",
        "e": "text",
    }
    assert (columns["a"]["min"], columns["a"]["max"], columns["a"]["mean"]) == (0, 19, 9.5)
    assert columns["a"]["std"] == pytest.approx(35**0.5)
    assert columns["d"]["top"][0] == {"value": "x", "count": 7}
    assert (columns["e"]["empty"], columns["e"]["distinct"]) == (20, 0)
    assert abs(columns["b"]["distinct"] - 20) <= 1
    assert rules(result, "warning") == {
        "blank_row": [22, 23],
        "column_empty": [*range(2, 12)],
    }


async def test_quoted_commas_quotes_and_line_ends_are_content(tmp_path: Path) -> None:
    body = "".join(f'{row},"one, ""two""\nthree {row % 2}"\n' for row in range(12))
    result = await validate("id,words\n" + body, tmp_path)
    assert result["valid"], result["report"]
    assert result["rows"] == 12
    assert result["columns"][1]["top"][0] == {"value": 'one, "two"\nthree 0', "count": 6}


@pytest.mark.parametrize(
    ("content", "rule", "rows"),
    [
        pytest.param("", "empty_file", [], id="empty"),
        pytest.param("\n\na,b\n1,2\n", "header_missing", [1], id="blank first line"),
        pytest.param("1,2\n" * 20, "header_missing", [1], id="numbers for a header"),
        pytest.param("a\n" + "1\n" * 20, "too_few_columns", [1], id="one column"),
        pytest.param("a;b\n" + "1;2\n" * 20, "too_few_columns", [1], id="semicolons"),
        pytest.param("a,a\n" + "1,2\n" * 20, "header_duplicate_name", [1], id="a name twice"),
        pytest.param("a,\n" + "1,2\n" * 20, "header_empty_name", [1], id="no name"),
        pytest.param(
            '"a\nb",c\n' + "1,2\n" * 20, "header_invalid_name", [1], id="a name of two lines"
        ),
        pytest.param(
            ",".join(f"c{n}" for n in range(2001)) + "\n", "too_many_columns", [1], id="wide"
        ),
        pytest.param(
            ",".join(f"{n}" + "\u6587" * 90 for n in range(1000)) + "\n",
            "header_too_long",
            [1],
            id="long names",
        ),
        pytest.param("a,b\n1,2\n1\n1,2,3\n", "ragged_row", [3, 4], id="ragged"),
        pytest.param("a,b\n1,2\n,,,,\n", "ragged_row", [3], id="ragged and blank"),
        pytest.param("a,b\n1,é\n".encode("latin-1"), "not_utf8", [2], id="latin-1"),
        pytest.param("a,b\n1,2\n".encode("utf-16"), "not_csv", [1], id="utf-16"),
        pytest.param(b"a,b\n1,2\n1\0,2\n", "nul_byte", [3], id="NUL"),
        pytest.param("a,b\r1,2\r", "line_ending", [1], id="carriage returns"),
        pytest.param('a,b\n"1,2\n3,4\n', "malformed", [2], id="a quote not closed"),
        pytest.param('a,b\n1,2\n"x"y,2\n', "malformed", [3], id="text after a quote"),
        pytest.param('a,b\n5" pipe,2\n', "quote", [2], id="a quote inside a field"),
        pytest.param("a,b\n" + "x" * 2 * MIB + ",1\n", "line_too_long", [2], id="a long line"),
        pytest.param(
            'a,b\n"' + "x,y\n" * MIB, "line_too_long", [2], id="a quote that swallows the file"
        ),
        pytest.param("a,b\n" + "1,2\n" * 9, "too_few_rows", [], id="nine rows"),
        pytest.param("a,b\n", "too_few_rows", [], id="a header alone"),
        pytest.param("a,b,c\n" + "1,,\n" * 20, "too_many_empty", [], id="mostly holes"),
        pytest.param(bytes(range(256)) * 64, "nul_byte", [1], id="no text at all"),
    ],
)
async def test_a_malformed_file_is_a_verdict(
    content: bytes | str, rule: str, rows: list[int], tmp_path: Path
) -> None:
    result = await validate(content, tmp_path)
    assert not result["valid"]
    assert rules(result).get(rule) == rows, result["report"]


async def test_a_few_words_in_a_column_of_numbers_are_pointed_out(tmp_path: Path) -> None:
    body = "".join(f"{row},{'unknown' if row == 5 else row}\n" for row in range(20))
    result = await validate("id,age\n" + body, tmp_path)
    assert result["valid"]
    assert result["columns"][1]["type"] == "text"
    (finding,) = result["report"]
    assert (finding["rule"], finding["column"], finding["count"]) == ("mostly_numbers", "age", 1)


async def test_infinity_and_overflow_are_no_numbers(tmp_path: Path) -> None:
    body = "".join(f"{row},{'inf' if row else '1.5'},{10**row}\n" for row in range(25))
    result = await validate("id,odd,power\n" + body, tmp_path)
    assert [column["type"] for column in result["columns"]] == ["integer", "text", "number"]


async def test_limits_can_be_set(tmp_path: Path) -> None:
    assert (await validate("a,b\n1,2\n3,4\n", tmp_path, min_rows=2))["valid"]
    assert "too_many_columns" in rules(await validate("a,b,c\n1,2,3\n", tmp_path, max_columns=2))


async def test_a_sample_cannot_carry_control_characters(tmp_path: Path) -> None:
    result = await validate("a,b\n\x1b[31mred\n", tmp_path)
    assert result["report"][0]["samples"] == ["1 fields: \\x1b[31mred"]


async def test_findings_stay_few_however_wrong_the_file(tmp_path: Path) -> None:
    result = await validate("a,b\n" + "1\n" * 100_000, tmp_path)
    (finding,) = result["report"]
    assert finding["count"] == 100_000
    assert (len(finding["rows"]), len(finding["samples"])) == (10, 5)


async def test_two_thousand_columns_are_profiled(tmp_path: Path) -> None:
    header = ",".join(f"c{n}" for n in range(2000))
    result = await validate(header + "\n" + (",".join(["1.5"] * 2000) + "\n") * 20, tmp_path)
    assert result["valid"]
    assert len(result["columns"]) == 2000


async def test_a_large_file_needs_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("w") as file:
        file.write("id,name,value\n")
        for row in range(600_000):
            file.write(f"{row},a name that differs {row * 7919},{row / 7}\n")
    assert path.stat().st_size > 25 * MIB
    result = await attempt(
        "validate", {"path": str(path)}, tmp_path, ResourceLimits(memory_bytes=512 * MIB)
    )
    assert isinstance(result, Finished), result
    assert result.result["rows"] == 600_000
    assert result.peak_rss_bytes < 400 * MIB


async def test_known_data_sets_are_valid(tmp_path: Path) -> None:
    result = finished(await attempt("validate", {"path": str(write("wine", tmp_path))}, tmp_path))
    assert (result["valid"], result["rows"], len(result["columns"])) == (True, 178, 14)
