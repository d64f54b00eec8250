"""Bytes by chance, and good ones spoiled, at whatever decodes what comes from outside: refused,
never an exception.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chance import LONG, few
from tests.unit.hostile.targets import TARGETS

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.timeout(1800 if LONG else 600),
    pytest.mark.filterwarnings(
        "ignore::PendingDeprecationWarning"
    ),  # jmespath's word for a literal without quotes
]
PIECES = (
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b'"',
    b"'",
    b"\\",
    b"\n",
    b"\r",
    b",",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"NaN",
    b"1e999",
    b"9" * 5000,
    b"-",
    b"[" * 300,
    b"@",
    b"`",
    b"|",
    b"[?",
    b"*",
    b"&",
    b"length(",
    b"true",
)


@st.composite
def spoiled(draw: st.DrawFn, good: bytes) -> bytes:
    """The good bytes with a few places changed."""
    data = bytearray(good)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 8))] = draw(
            st.sampled_from(PIECES) | st.binary(max_size=4)
        )
    return bytes(data)


@pytest.mark.parametrize("name", TARGETS)
@few(60)
@given(st.data())
def test_anything_is_taken_or_refused(name: str, data: st.DataObject) -> None:
    take, seeds = TARGETS[name]
    take(data.draw(st.sampled_from(seeds).flatmap(spoiled) | st.binary(max_size=300)))
