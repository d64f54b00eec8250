"""Limits of bytes: nothing is parted inside a character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.bounds import at_most, cut, cut_front, json_size_of, size_of


@given(st.text(), st.integers(min_value=3, max_value=40))
def test_a_cut_text_fits_and_is_a_beginning(text: str, most: int) -> None:
    found = cut(text, most)
    assert size_of(found) <= most
    assert found == text or text.startswith(found.removesuffix("…"))
    assert size_of(cut_front(text, most)) <= most
    assert text.endswith(cut_front(text, most))


@given(st.text())
def test_a_size_is_of_bytes(text: str) -> None:
    assert size_of(text) == len(text.encode())


def test_json_is_measured_as_utf8() -> None:
    assert json_size_of({"文": "文"}) == len('{"文":"文"}'.encode())
    assert size_of("\ud800") == 3


def test_what_is_too_large_says_how_large() -> None:
    check = at_most(10, "options")
    assert check({"a": 1}) == {"a": 1}
    with pytest.raises(ValueError, match="options takes 21 bytes as JSON, 10 are allowed"):
        check({"a": "0123456789abc"})
