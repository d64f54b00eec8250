"""Token buckets."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from producers.webhooks.rates import Buckets, Rate

KEY, OTHER = UUID(int=1), UUID(int=2)


@given(
    st.lists(st.floats(0, 5), min_size=1, max_size=200),
    st.floats(0.1, 50),
    st.integers(1, 20),
)
def test_no_more_than_the_burst_and_the_rate(
    gaps: list[float], per_second: float, burst: int
) -> None:
    buckets = Buckets(Rate(per_second, burst))
    now, passed = 0.0, 0
    for gap in gaps:
        now += gap
        standing = buckets.take(KEY, now)
        passed += standing.wait_seconds == 0
        assert 0 <= standing.remaining <= burst
        assert standing.wait_seconds <= 1 / per_second + 1e-9
    assert passed <= burst + now * per_second + 1e-6


@given(st.floats(0.1, 50), st.integers(1, 20))
def test_who_waits_as_told_passes(per_second: float, burst: int) -> None:
    buckets = Buckets(Rate(per_second, burst))
    assert all(buckets.take(KEY, 0.0).wait_seconds == 0 for _ in range(burst))
    refused = buckets.take(KEY, 0.0)
    assert refused.wait_seconds > 0
    assert buckets.take(KEY, refused.wait_seconds + 1e-6).wait_seconds == 0
    assert buckets.take(OTHER, 0.0).wait_seconds == 0


def test_headers_say_it_in_whole_seconds() -> None:
    buckets = Buckets(Rate(2.0, 3))
    assert buckets.take(KEY, 0.0).headers() == [
        (b"ratelimit-limit", b"3"),
        (b"ratelimit-remaining", b"2"),
        (b"ratelimit-reset", b"1"),
    ]
    buckets.take(KEY, 0.0), buckets.take(KEY, 0.0)
    assert buckets.take(KEY, 0.0).headers()[-1] == (b"retry-after", b"1")


def test_what_was_taken_for_nothing_is_given_back() -> None:
    buckets = Buckets(Rate(1.0, 1))
    buckets.take(KEY, 0.0)
    buckets.give_back(KEY)
    buckets.give_back(KEY)
    buckets.give_back(OTHER)
    assert buckets.take(KEY, 0.0).wait_seconds == 0
    assert buckets.take(KEY, 0.0).wait_seconds > 0


def test_time_that_goes_back_gives_nothing() -> None:
    buckets = Buckets(Rate(1.0, 1))
    buckets.take(KEY, 100.0)
    assert buckets.take(KEY, 50.0).wait_seconds > 0


def test_only_so_many_are_remembered() -> None:
    buckets = Buckets(Rate(0.001, 1), size=2)
    for number in range(4):
        buckets.take(UUID(int=number), 0.0)
    assert buckets.take(UUID(int=3), 0.0).wait_seconds > 0
    assert buckets.take(UUID(int=0), 0.0).wait_seconds == 0
