"""The caller's trace is taken when it is one; a new one is made of randomness alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.trace import trace_id, traceparent_of

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOISE = bytes(range(24))
NEW = "00-000102030405060708090a0b0c0d0e0f-1011121314151617-01"


def test_a_caller_keeps_its_trace() -> None:
    assert traceparent_of(GIVEN, NOISE) == GIVEN
    assert trace_id(GIVEN) == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "garbage",
        GIVEN.upper(),
        GIVEN + "-00",
        GIVEN + "\n",
        GIVEN[:-1],
        " " + GIVEN,
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    ],
)
def test_what_is_no_trace_is_replaced(given: str | None) -> None:
    assert traceparent_of(given, NOISE) == NEW


@given(st.text(max_size=60), st.binary(min_size=24, max_size=24))
def test_the_answer_is_always_a_trace(given: str, noise: bytes) -> None:
    answer = traceparent_of(given, noise)
    assert traceparent_of(answer, NOISE) in (answer, NEW)
    assert len(trace_id(answer)) == 32
