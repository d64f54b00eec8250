"""The breaker: what trips it, and how much may fail before."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.log.circuit_breaker import policy
from consumers.log.circuit_breaker.policy import BAD, BreakerLimits, Judgement

LIMITS = BreakerLimits(max_run=3, max_ratio=0.5, window=10, minimum=6)
outcomes = st.lists(st.booleans(), max_size=60)


def judge(recent: str, given: list[bool], limits: BreakerLimits, allowed: int = 0) -> Judgement:
    """Of records that are nobody's."""
    return policy.judge(Judgement(recent, None, allowed), [(good, None) for good in given], limits)


def test_a_run_within_the_limit_is_borne_and_one_more_is_not() -> None:
    assert judge("", [False] * 3, LIMITS).too_much is None
    assert judge("", [False] * 4, LIMITS).too_much == "more than 3 failures in a row"
    assert (
        judge("", [False, False, False, True, False, False], BreakerLimits(3, 1.0, 10, 6)).too_much
        is None
    )


def test_a_run_goes_on_from_one_delivery_to_the_next() -> None:
    before = judge("", [True, False, False], LIMITS)
    assert judge(before.recent, [False], LIMITS).too_much is None
    assert judge(before.recent, [False, False], LIMITS).too_much is not None


def test_a_ratio_counts_from_the_minimum_on() -> None:
    mixed = [False, True, False, False, True]
    assert judge("", mixed, LIMITS).too_much is None
    assert judge("", [*mixed, False], LIMITS).too_much == "4 of the last 6 failed, more than 50%"
    assert judge("", [True] * 10 + [False, True] * 5, LIMITS).too_much is None


def test_only_a_failure_trips() -> None:
    assert judge(BAD * 10, [True], LIMITS).too_much is None


def test_what_is_older_than_the_window_is_forgotten() -> None:
    assert judge(BAD * 3, [True] * 10, LIMITS).recent == "." * 10


def test_what_is_allowed_does_not_count() -> None:
    found = judge("", [True, *[False] * 8], LIMITS, allowed=5)
    assert (found.too_much, found.allowed, found.recent[-4:]) == (None, 0, ".xxx")
    assert judge(found.recent, [False], LIMITS, found.allowed).too_much is not None


@given(outcomes, outcomes)
def test_deliveries_may_be_cut_anywhere(first: list[bool], second: list[bool]) -> None:
    whole = judge("", first + second, LIMITS)
    before = judge("", first, LIMITS)
    assert whole == (before if before.too_much else judge(before.recent, second, LIMITS))


@given(outcomes)
def test_never_more_than_the_run_is_let_through(given_outcomes: list[bool]) -> None:
    """What was judged bearable holds no longer run than the limit."""
    recent = ""
    for good in given_outcomes:
        found = judge(recent, [good], LIMITS)
        if found.too_much:
            break
        recent = found.recent
    assert BAD * 4 not in recent
    assert len(recent) <= LIMITS.window


@pytest.mark.parametrize(
    "wrong", [{"max_run": 0}, {"max_run": 200}, {"minimum": 201}, {"max_ratio": 0.0}]
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="limits"):
        BreakerLimits(**wrong)  # type: ignore[arg-type]


ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))
WIDE = BreakerLimits(max_run=8, max_ratio=0.9, window=40, minimum=40)


def of(tenant: UUID, count: int, *, good: bool = False) -> list[tuple[bool, UUID | None]]:
    return [(good, tenant)] * count


def test_one_tenant_alone_never_trips_while_another_is_well() -> None:
    found = policy.judge(Judgement(""), [*of(TWO, 1, good=True), *of(ONE, 500)], WIDE)
    assert (found.too_much, found.alone) == (None, frozenset({ONE}))
    assert found.recent == "." + BAD * WIDE.max_of_tenant


def test_one_tenant_alone_trips_where_nobody_else_is_seen() -> None:
    found = policy.judge(Judgement(""), [*of(ONE, 5, good=True), *of(ONE, 9)], WIDE)
    assert found.too_much == "more than 8 failures in a row"


def test_different_tenants_trip_together() -> None:
    fourth = of(UUID(int=4), 1, good=True)
    found = policy.judge(Judgement(""), [*fourth, *of(ONE, 50), *of(TWO, 50), *of(THREE, 50)], WIDE)
    assert found.too_much == "more than 8 failures in a row"


def test_a_witness_that_fails_is_none() -> None:
    results = [*of(TWO, 1, good=True), *of(ONE, 50), *of(TWO, 1), *of(ONE, 50)]
    assert policy.judge(Judgement(""), results, WIDE).too_much is not None


def test_a_witness_of_yesterday_is_none() -> None:
    seen = policy.judge(Judgement(""), of(TWO, 1, good=True), WIDE, at=1000.0)
    assert policy.judge(seen, of(ONE, 50), WIDE, at=1000.0 + 3600).too_much is None
    assert (
        policy.judge(seen, of(ONE, 50), WIDE, at=1001.0 + policy.WITNESS_SECONDS).too_much
        is not None
    )


def test_what_an_older_process_wrote_is_nobodys() -> None:
    before = Judgement(BAD * 3, None, 0, (ONE.hex,), {TWO.hex: 0.0})
    assert policy.judge(before, of(ONE, 1), WIDE).failed == ("", "", "", ONE.hex)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([ONE, TWO, None])), max_size=80))
def test_each_failure_in_the_window_has_its_tenant(results: list[tuple[bool, UUID | None]]) -> None:
    found = policy.judge(Judgement(""), results, BreakerLimits(10, 1.0, 11, 11))
    assert len(found.failed) == found.recent.count(BAD)
    assert len(found.recent) <= 11
