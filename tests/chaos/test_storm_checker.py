"""The storm's checker sees each violation: a history without fault, broken in one place at a
time.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.chaos.storm_checker import Appearance, Billed, Found, Sent, Violation, check

A0 = Sent("a", 0, b"a0", sent=1, answered=2, events=("e0",))
A1 = Sent("a", 1, b"a1", sent=3, answered=6, events=("e1",))
A2 = Sent(
    "a", 2, b"a2", sent=4, answered=5, events=("e2",)
)  # together with the one before: any order will do
A3 = Sent("a", 3, b"a3", sent=7)  # cut, and never sent again
B0 = Sent("b", 0, b"b0", sent=8, answered=9, events=("e4",))
SENT = (A0, A1, A2, A3, B0)
SEEN = (
    Appearance("a", "e0", b"a0"),
    Appearance("a", "e2", b"a2"),
    Appearance("a", "e1", b"a1"),
    Appearance("b", "e4", b"b0"),
)
UNKNOWN = Appearance("a", "e3", b"a3")
BILLS = (Billed("a", Decimal(3), ("e0", "e1", "e2")), Billed("b", Decimal(1), ("e4",)))
FOUND = Found(topic=(*SEEN, SEEN[0]), log=SEEN, requests=SEEN, bills=BILLS, shown=Decimal(4))
PLACES = ("topic", "log", "requests")


def with_(place: str, seen: tuple[Appearance, ...]) -> Found:
    """The history in which one of the three places looks like this."""
    return Found(**{**vars(FOUND), place: seen})


def kinds(found: list[Violation]) -> set[str]:
    return {one.kind for one in found}


def test_a_history_without_fault_has_no_violation() -> None:
    assert check(SENT, FOUND) == []


def test_what_was_never_answered_may_be_there_once() -> None:
    seen = (*SEEN, UNKNOWN)
    bills = (*BILLS, Billed("a", Decimal(1), ("e3",)))
    assert check(SENT, Found(seen, seen, seen, bills, Decimal(5))) == []


def test_what_was_never_answered_may_come_at_any_time() -> None:
    seen = (
        UNKNOWN,
        *SEEN,
    )  # a delivery that was cut lands late, or what was sent before lands after it
    bills = (*BILLS, Billed("a", Decimal(1), ("e3",)))
    late = replace(A3, sent=0)
    assert check((A0, A1, A2, late, B0), Found(seen, seen, seen, bills, Decimal(5))) == []


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("lost", SEEN[1:]),
        ("phantom", (*SEEN, Appearance("a", "e9", b"never sent"))),
        ("duplicate effect", (*SEEN, Appearance("a", "e9", b"a0"))),
        ("duplicate effect", (*SEEN, UNKNOWN, Appearance("a", "e9", b"a3"))),
        ("body altered", (Appearance("a", "e0", b"another"), *SEEN[1:])),
        ("body altered", (Appearance("b", "e0", b"a0"), *SEEN[1:])),
    ],
)
def test_a_place_does_not_fit(place: str, kind: str, seen: tuple[Appearance, ...]) -> None:
    assert kind in kinds(check(SENT, with_(place, seen)))


@pytest.mark.parametrize("place", ["topic", "log"])
@pytest.mark.parametrize("seen", [(SEEN[1], SEEN[0], *SEEN[2:]), (*SEEN[1:], SEEN[0])])
def test_an_order_that_a_sender_can_tell_from_his_answers(
    place: str, seen: tuple[Appearance, ...]
) -> None:
    assert kinds(check(SENT, with_(place, seen))) == {"reordered"}


@pytest.mark.parametrize("place", ["log", "requests"])
def test_a_row_that_is_there_twice(place: str) -> None:
    assert kinds(check(SENT, with_(place, (*SEEN, SEEN[0])))) == {"duplicate effect"}


def test_one_message_that_was_told_as_two_events() -> None:
    assert "duplicate effect" in kinds(
        check((replace(A0, events=("e0", "e9")), A1, A2, A3, B0), FOUND)
    )


@pytest.mark.parametrize(
    "found",
    [
        replace(FOUND, bills=BILLS[:1]),
        replace(FOUND, bills=(*BILLS, BILLS[1])),
        replace(FOUND, bills=(Billed("a", Decimal(4), ("e0", "e1", "e2")), BILLS[1])),
        replace(FOUND, bills=(*BILLS, Billed("b", Decimal(1), ("e9",)))),
        replace(FOUND, bills=(Billed("b", Decimal(3), ("e0", "e1", "e2")), BILLS[1])),
        replace(FOUND, shown=Decimal(5)),
    ],
)
def test_a_bill_that_does_not_fit(found: Found) -> None:
    assert kinds(check(SENT, found)) == {"billing difference"}


def test_what_is_left_over() -> None:
    assert kinds(
        check(SENT, replace(FOUND, left_over={"events in the outbox": 1, "dead letters": 0}))
    ) == {"left over"}
