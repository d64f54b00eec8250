"""Headings are made plain, and a file that is no CSV of commas is called what it is."""

import bz2
import gzip
import io
import zipfile
from pathlib import Path

import pytest

from tests.unit.table_reader.reading import validated

ROWS = "1,2\n" * 12


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Prix\u00a0(€)", "Prix (€)"),
        ("氏名\u3000漢字", "氏名 漢字"),
        ("a  \t b", "a b"),
        ("\u2003a\u2009b ", "a b"),
        ("\u200bprice", "price"),
        ("na\u00adme", "name"),
        ("\u200e\u202bname\u202c", "name"),
        ("\ufeffname", "name"),
        ("\u200dname\u200c", "name"),
    ],
)
def test_white_space_in_a_heading_is_one_space_and_said(
    written: str, name: str, tmp_path: Path
) -> None:
    result = validated(tmp_path, f"x,{written}\n{ROWS}")
    assert (result.valid, result.columns[1].name) == (True, name)
    (finding,) = [one for one in result.report if one.rule == "header_normalized"]
    assert (finding.column, finding.rows, len(finding.samples)) == (name, (1,), 1)
    assert name in finding.message


@pytest.mark.parametrize("name", ["نام\u200cه", "👩\u200d🔬", "naïve", "*"])
def test_a_heading_that_is_plain_is_left_alone(name: str, tmp_path: Path) -> None:
    result = validated(tmp_path, f" x\t,{name}\n{ROWS}")
    assert [one.name for one in result.columns] == ["x", name]
    assert {one.rule for one in result.report} == {"column_constant"}


@pytest.mark.parametrize(
    ("header", "rule", "said"),
    [
        ("a\u00a0b,a b", "header_duplicate_name", "white space counts as one space"),
        ("a,a", "header_duplicate_name", "must differ"),
        ("a,\u200b", "header_empty_name", "needs a name"),
        ("a,\u3000", "header_empty_name", "needs a name"),
        ("a,b\u0007", "header_invalid_name", "U+0007"),
    ],
)
def test_a_heading_that_cannot_be_used_is_refused_with_the_reason(
    header: str, rule: str, said: str, tmp_path: Path
) -> None:
    result = validated(tmp_path, f"{header}\n{ROWS}")
    (finding,) = [one for one in result.report if one.severity == "error"]
    assert (finding.rule, finding.rows) == (rule, (1,))
    assert said in finding.message
    assert finding.samples


def zipped(*names: str, content: str = "x" * 100) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (gzip.compress(b"a,b\n1,2\n" * 20, mtime=0), "gzip"),
        (zipped("data.csv"), "zip"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "Excel"),
        (
            zipped("mimetype", content="application/vnd.oasis.opendocument.spreadsheet"),
            "OpenDocument",
        ),
        (b"PAR1" + bytes(range(200)), "Parquet"),
        (b"ARROW1\0\0" + bytes(200), "Arrow"),
        (bz2.compress(b"a,b\n1,2\n" * 20), "bzip2"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Excel"),
        (("a,b\n" + ROWS).encode("utf-16"), "UTF-16"),
        (("a,b\n" + ROWS).encode("utf-16-le"), "UTF-16"),
        (("a,b\n" + ROWS).encode("utf-16-be"), "UTF-16"),
        (("a,b\n" + ROWS).encode("utf-32"), "UTF-32"),
        (b'[{"a": 1, "b": 2}]', "JSON"),
        (b'{"a": 1}\n{"a": 2}\n', "JSON"),
        (b'{\n  "a": [1, 2]\n}\n', "JSON"),
        (b'[\n  {\n    "a": 1\n  }\n]\n', "JSON"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "HTML"),
        (b"%PDF-1.7\n", "PDF"),
    ],
)
def test_a_file_that_is_no_csv_is_called_what_it_is(
    content: bytes, name: str, tmp_path: Path
) -> None:
    result = validated(tmp_path, content)
    (finding,) = result.report
    assert (result.valid, finding.rule, finding.rows) == (False, "not_csv", (1,))
    assert name in finding.message
    assert "UTF-8" not in finding.message or "CSV" in finding.message


@pytest.mark.parametrize(
    "header",
    [
        "[id],[name]",
        "{a},b",
        "PK,b",
        "PAR1,PAR2",
        "ARROW1,ü",
        "BZh,b",
        '[id],"a"":b"',
        '[2024],"a"":b"',
    ],
)
def test_a_heading_that_begins_like_another_file_is_a_heading(header: str, tmp_path: Path) -> None:
    assert validated(tmp_path, f"{header}\n{ROWS}").valid


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_delimiter_is_named(mark: str, tmp_path: Path) -> None:
    lines = [["day", "amount", "price, EUR"]] + [[f"d{n}", str(n), f"{n},50"] for n in range(12)]
    content = "".join(mark.join(line) + "\n" for line in lines)
    result = validated(tmp_path, content)
    assert (result.valid, result.report[0].rule) == (False, "wrong_delimiter")
    name = {";": "semicolon", "\t": "tab", "|": "vertical bar"}[mark]
    assert name in result.report[0].message
    without_commas = validated(tmp_path, content.replace(",", "."))
    assert [one.rule for one in without_commas.report[:2]] == ["wrong_delimiter", "too_few_columns"]


def test_a_semicolon_among_ragged_commas_is_what_is_said_first(tmp_path: Path) -> None:
    lines = "".join(f"{n};{n % 3},5;{'x,y,z' if n % 2 else 'x'}\n" for n in range(12))
    result = validated(tmp_path, f"a;b;c, d\n{lines}")
    assert result.report[0].rule == "wrong_delimiter"


def test_semicolons_within_values_are_no_delimiter(tmp_path: Path) -> None:
    lines = "".join(f'"a;b",{n},x;y\n' for n in range(12))
    result = validated(tmp_path, f'"p;q",n,r\n{lines}')
    assert result.valid
    result = validated(tmp_path, "p;q,n,m,r\n" + "a;b,1,2,3\n" * 12)
    assert result.valid
    assert "other_delimiter" in {one.rule for one in result.report}
