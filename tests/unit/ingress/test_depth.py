"""How deep JSON nests, against a plain measure of what was parsed."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from producers.webhooks.depth import deeper_than

TEXTS = st.text(st.sampled_from('[]{}"\\,:ab\n é')) | st.text()
VALUES = st.recursive(
    st.none() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner),
)


def measured(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(measured, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(measured, value), default=0)
    return 0


@given(VALUES, st.integers(0, 8), st.booleans(), st.sampled_from([None, 2]))
def test_as_parsed(value: Any, limit: int, ascii_only: bool, indent: int | None) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode(
        "utf-8", "surrogatepass"
    )
    assert deeper_than(body, limit) is (measured(value) > limit)


@given(st.binary(), st.integers(0, 5))
def test_any_bytes_are_judged(body: bytes, limit: int) -> None:
    if deeper_than(body, limit):
        assert body.count(b"[") + body.count(b"{") > limit


def test_what_is_never_closed_counts() -> None:
    assert deeper_than(b"[" * 1_000_000, 100)
    assert not deeper_than(b"[]" * 500, 1)
    assert not deeper_than(b'"' + b"[" * 500 + b'"', 1)
