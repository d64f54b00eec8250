"""Any payload becomes rows of scalars or is Unmappable.

A file of them reads back as what was put in.
"""

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.ingest.mapping import Unmappable
from consumers.ingest.row_buffers.csv_write import run
from consumers.ingest.rows import MOST_CELLS, MOST_ROW_BYTES, cell_of, rows

COLUMNS = {"a": "a", "b": "deep.b"}


def made(
    payload: Any, each: str | None = None, columns: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    action: dict[str, Any] = {"kind": "rows", "dataset": "d", "columns": columns or COLUMNS}
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return rows(body, action if each is None else {**action, "each": each}, 3)


def test_a_payload_is_a_row() -> None:
    assert made({"a": 1, "deep": {"b": "x"}}) == [{"a": 1, "b": "x"}]


def test_each_finds_the_rows() -> None:
    payload = {"list": [{"a": True}, {"a": 1.5, "deep": {"b": None}}, {"c": 1}], "one": {"a": "x"}}
    assert made(payload, "list") == [{"a": True, "b": None}, {"a": 1.5, "b": None}]
    assert made(payload, "one") == [{"a": "x", "b": None}]
    assert made([{"a": 1}, {"a": 2}]) == [{"a": 1, "b": None}, {"a": 2, "b": None}]


@pytest.mark.parametrize(
    "payload", [None, [], {}, {"a": None}, [{}, {"a": None}], {"zen": "a ping"}], ids=str
)
def test_what_has_no_value_is_no_row(payload: Any) -> None:
    assert made(payload) == []
    assert made({"wrapped": payload}, "wrapped") == []


UNMAPPABLE: dict[str, tuple[Any, str]] = {
    "no JSON": (b"{", "not JSON"),
    "a form": (b"payload=%7B%7D", "not JSON"),
    "a text": ("text", "row 1"),
    "a number among rows": ([{"a": 1}, 7], "row 2"),
    "a list of lists": ([[1]], "row 1"),
    "a list": ({"a": [1]}, "`columns.a`: `a` gave a list of 1 in row 1; expected a text"),
    "an object": ({"deep": {"b": {"c": 1}}}, "`columns.b`: `deep.b` gave an object of 1 in row 1"),
    "a later one": ([{"a": 1}, {"a": {}}], "`columns.a`: `a` gave an object of 0 in row 2"),
    "a NUL": ({"a": "\x00"}, "`columns.a`"),
    "half a surrogate": (b'{"a": "\\ud800"}', "`columns.a`.*surrogate"),
    "no UTF-8": (b'{"a": "x", "deep": {"b": "\xff"}}', "`columns.b`.*UTF-8"),
    "no number": (b'{"a": NaN}', "`columns.a`"),
    "no end": (b'{"a": 1e999}', "`columns.a`"),
    "many digits": (b'{"a": ' + b"9" * 5000 + b"}", "`columns.a`.*no number"),
    "a huge number": ({"a": 10**400}, "300 digits"),
    "a lone return": ({"a": "x\ry"}, "carriage return"),
    "two returns": ({"a": "x\r\r\n"}, "carriage return"),
    "a long row": ({"a": "é" * (MOST_ROW_BYTES // 2), "deep": {"b": "x"}}, "longer"),
    "many lines": ({"a": "\n" * 6000}, "line ends"),
    "many rows": ([{"a": 1}] * (MOST_CELLS // 2 + 1), "cells are allowed"),
}


@pytest.mark.parametrize(("payload", "says"), UNMAPPABLE.values(), ids=UNMAPPABLE.keys())
def test_what_fits_no_table_is_unmappable(payload: Any, says: str) -> None:
    with pytest.raises(Unmappable, match=says):
        made(payload)


def test_an_expression_that_cannot_be_applied_names_its_column() -> None:
    with pytest.raises(Unmappable, match=r"`columns.a`: `abs\(a\)` cannot be applied"):
        made({"a": "x"}, columns={"a": "abs(a)", "b": "b"})


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
PAYLOADS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "deep", "list"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(PAYLOADS, st.sampled_from([None, "list", "@", "deep.list", "[0]", "list[?a]"]))
def test_any_payload_is_rows_of_scalars_or_unmappable(payload: Any, each: str | None) -> None:
    try:
        found = made(payload, each)
    except Unmappable as error:
        assert str(error)  # noqa: PT017
        return
    for row in found:
        assert list(row) == list(COLUMNS)
        assert any(value is not None for value in row.values())
        for value in row.values():
            assert value is None or isinstance(value, str | int | float)
            assert not isinstance(value, float) or math.isfinite(value)


WHOLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=20)
FITTING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | WHOLE
)


@given(st.lists(st.tuples(FITTING, FITTING), max_size=8))
def test_the_file_reads_back_as_what_was_put_in(
    tmp_path_factory: pytest.TempPathFactory, given_rows: Any
) -> None:
    directory = Path(tmp_path_factory.mktemp("csv"))
    payload = [{"a": first, "deep": {"b": second}} for first, second in given_rows]
    cells = [[cell_of(row["a"]), cell_of(row["b"])] for row in made(payload)]
    lines, into = directory / "rows.jsonl", directory / "data.csv"
    lines.write_text("".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in cells))
    result = run({"path": str(lines), "columns": ["a", "b"], "into": str(into)}, print)
    assert result["rows"] == len(cells)
    assert result["size_bytes"] == into.stat().st_size
    read = list(csv.reader(io.StringIO(into.read_bytes().decode(), newline=""), strict=True))
    assert read == [["a", "b"], *([one or "" for one in row] for row in cells)]
    for row, (first, second) in zip(
        read[1:], [one for one in given_rows if one != (None, None)], strict=True
    ):
        for cell, value in zip(row, (first, second), strict=True):
            if isinstance(value, bool):
                assert cell == str(value).lower()
            elif isinstance(value, int | float):
                assert type(value)(cell) == value
