"""One mend, one fingerprint: what changes from message to message does not count."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.dead_letters.fingerprint import fingerprint, shape


def of(
    error: str,
    consumer: str = "ingest",
    error_class: str = "bug",
    event_type: str | None = "job.queued",
) -> str:
    return fingerprint(consumer, error_class, event_type, error)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("job 17 cannot go", "job 4211 cannot go"),
        ("took 1.5 s, 10,000 rows", "took 17.25 s, 9 rows"),
        (f"no row {UUID(int=1)}", f"no row {UUID(int=2**127)}"),
        ("<object at 0x7f00aa>", "<object at 0x55>"),
        ("sha 9f86d081884c7d65 differs", "sha 60303ae22b998861 differs"),
        ("KeyError: 'a'\n line 3", "KeyError: 'b'\n line 900\n more"),
        ('model is "x y", not up to 100 letters', 'model is "z", not up to 100 letters'),
        ("the key b'\\x00' is not", "the key b'other' is not"),
        ("Timed Out", "timed  out"),
        ("`a.b1`: `x[1]` gave 7; expected", "`a.b1`: `length(y)` gave 19; expected"),
    ],
)
def test_errors_that_differ_in_ids_numbers_and_quoted_values_are_one(one: str, other: str) -> None:
    assert of(one) == of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the source is gone", "the body is gone"),
        ("it isn't a number, it's text", "it isn't a list, it's text"),  # apostrophes quote nothing
        ("decade", "facade"),  # words of hex letters are words
        ("a\nb", "c\nb"),
        ("`a.b1`: `x` gave 7", "`a.b2`: `x` gave 7"),  # a mapping's field is no value
    ],
)
def test_other_errors_are_others(one: str, other: str) -> None:
    assert of(one) != of(other)


def test_consumer_class_and_type_count() -> None:
    made = {
        of("e"),
        of("e", consumer="training"),
        of("e", error_class="permanent"),
        of("e", event_type=None),
    }
    assert len(made) == 4


def test_parts_do_not_run_into_one_another() -> None:
    assert of("c", consumer="a", error_class="b") != of("c", consumer="ab", error_class="")


@given(st.text(max_size=300), st.integers(0, 10**30))
def test_any_error_has_one_and_a_number_in_it_never_counts(error: str, number: int) -> None:
    assert len(of(error + "\ud800")) == 16
    assert of(f"{error} {number}") == of(f"{error} {number + 1}")


def test_a_shape_is_bounded_and_readable() -> None:
    assert len(shape("e" * 100_000)) == 1000
    assert shape("Job 7 of 'wine' at 12:30:01") == "job # of ? at #"
