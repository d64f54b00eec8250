"""What makes a delivery the same as another."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from producers.webhooks.receive import identity
from producers.webhooks.verification.verdict import Genuine

START = datetime(2026, 1, 1, tzinfo=UTC)
ONE, TWO = b"1" * 32, b"2" * 32


@given(st.text(min_size=1), st.integers(0, 10**6))
def test_the_senders_id_alone_counts(external_id: str, later: int) -> None:
    at = START + timedelta(seconds=later)
    first = identity(Genuine(external_id), ONE, START, 600)
    assert first == identity(Genuine(external_id, signed_id=False, signed_at=at), TWO, at, 600)
    assert first != identity(Genuine(external_id + "x"), ONE, START, 600)


def test_without_one_the_signed_time_with_the_body() -> None:
    verdict = Genuine(None, signed_at=START)
    first = identity(verdict, ONE, START, 600)
    assert first == identity(verdict, ONE, START + timedelta(days=1), 600)
    assert first != identity(verdict, TWO, START, 600)
    assert first != identity(Genuine(None, signed_at=START + timedelta(seconds=1)), ONE, START, 600)


def test_with_neither_the_body_within_the_window() -> None:
    first = identity(Genuine(None), ONE, START, 600)
    assert first == identity(Genuine(None), ONE, START + timedelta(seconds=599), 600)
    assert first != identity(Genuine(None), ONE, START + timedelta(seconds=600), 600)
    assert first != identity(Genuine(None), TWO, START, 600)


@given(st.text(min_size=1))
def test_an_id_never_looks_like_a_time_or_a_body(external_id: str) -> None:
    others = {identity(Genuine(None, signed_at=START), ONE, START, 600), identity(Genuine(None), ONE, START, 600)}
    assert identity(Genuine(external_id), ONE, START, 600) not in others
