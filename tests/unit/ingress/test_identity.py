"""What makes a delivery the same as another."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from producers.webhooks.normalize import identity
from producers.webhooks.verification.verdict import Genuine

START = datetime(2026, 1, 1, tzinfo=UTC)
ONE, TWO = b"1" * 32, b"2" * 32


@given(st.text(min_size=1), st.integers(0, 10**6))
def test_the_senders_id_alone_counts(external_id: str, later: int) -> None:
    at = START + timedelta(seconds=later)
    first = identity(Genuine(external_id), ONE)
    assert first == identity(Genuine(external_id, signed_id=False, signed_at=at), TWO)
    assert first != identity(Genuine(external_id + "x"), ONE)


def test_without_one_the_signed_time_with_the_body() -> None:
    verdict = Genuine(None, signed_at=START)
    first = identity(verdict, ONE)
    assert first != identity(verdict, TWO)
    assert first != identity(Genuine(None, signed_at=START + timedelta(seconds=1)), ONE)


def test_with_neither_the_body() -> None:
    assert identity(Genuine(None), ONE) == identity(Genuine(None, signed_id=False), ONE)
    assert identity(Genuine(None), ONE) != identity(Genuine(None), TWO)


@given(st.text(min_size=1))
def test_an_id_never_looks_like_a_time_or_a_body(external_id: str) -> None:
    others = {identity(Genuine(None, signed_at=START), ONE), identity(Genuine(None), ONE)}
    assert identity(Genuine(external_id), ONE) not in others
