"""The checker sees each violation: a history without fault, broken in one place at a time."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tests.chaos.checker import Answer, Bill, Final, Seen, Told, Violation, check

ANSWERS = (Answer("a", 0, "e0"), Answer("a", 1, "e1"), Answer("a", 1, "e1"), Answer("b", 0, "e2"))
TOLD = Told(ANSWERS, frozenset({"j"}), (Decimal(0), Decimal(2), Decimal(2)))
SEEN = (Seen("a", "e0"), Seen("a", "e1"), Seen("b", "e2"))
BILLS = (
    Bill("webhook_events", "a", Decimal(2), ("e0", "e1")),
    Bill("webhook_events", "b", Decimal(1), ("e2",)),
    Bill("jobs", "j", Decimal(1), ("e9",)),
    Bill("training_seconds", "j", Decimal("1.5"), ("e8",)),
)
FINAL = Final(
    topic=(*SEEN, Seen("a", "e0")),  # the relay may send a copy
    log=SEEN,
    jobs={"j": ("succeeded", 5)},
    ends=("j",),
    bills=BILLS,
    shown_jobs={"j": ("succeeded", 5)},
    shown_usage={
        "webhook_events": Decimal(3),
        "jobs": Decimal(1),
        "training_seconds": Decimal("1.5"),
    },
    models=(("j", "r2", 0.9),),
    shown_models=(("j", "r2", 0.9),),
)
USAGE = FINAL.shown_usage


def kinds(found: list[Violation]) -> set[str]:
    return {one.kind for one in found}


def test_a_history_without_fault_has_no_violation() -> None:
    assert check(TOLD, FINAL) == []


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("duplicate effect", replace(TOLD, answers=(*ANSWERS, Answer("a", 1, "e3")))),
        ("lost", replace(TOLD, answers=(*ANSWERS, Answer("b", 1, "e3")))),
        ("lost", replace(TOLD, jobs=frozenset({"j", "k"}))),
        ("phantom", replace(TOLD, answers=ANSWERS[:3])),
        ("phantom", replace(TOLD, jobs=frozenset())),
        ("non-monotone read", replace(TOLD, reads=(Decimal(2), Decimal(1)))),
    ],
)
def test_what_clients_were_told_does_not_fit(kind: str, told: Told) -> None:
    assert kind in kinds(check(told, FINAL))


@pytest.mark.parametrize(
    ("kind", "final"),
    [
        ("lost", replace(FINAL, topic=SEEN[1:])),
        ("lost", replace(FINAL, log=SEEN[:2])),
        ("lost", replace(FINAL, ends=())),
        ("reordered", replace(FINAL, topic=(SEEN[1], SEEN[0], SEEN[2]))),
        ("reordered", replace(FINAL, log=(SEEN[1], SEEN[0], SEEN[2]))),
        ("phantom", replace(FINAL, topic=(*SEEN, Seen("b", "e7")))),
        ("duplicate effect", replace(FINAL, log=(*SEEN, SEEN[0]))),
        ("duplicate effect", replace(FINAL, ends=("j", "j"))),
        ("duplicate effect", replace(FINAL, models=(("j", "r2", 0.9), ("j", "r2", 0.9)))),
        ("stuck job", replace(FINAL, jobs={"j": ("running", 3)})),
        ("wrong end", replace(FINAL, jobs={"j": ("failed", 5)})),
        (
            "double billing",
            replace(FINAL, bills=(*BILLS, Bill("webhook_events", "a", Decimal(1), ("e1",)))),
        ),
        ("double billing", replace(FINAL, bills=(*BILLS, BILLS[2]))),
        (
            "double billing",
            replace(
                FINAL, bills=(Bill("webhook_events", "a", Decimal(3), ("e0", "e1")), *BILLS[1:])
            ),
        ),
        ("not billed", replace(FINAL, bills=BILLS[1:])),
        ("not billed", replace(FINAL, bills=BILLS[:3])),
        ("view differs", replace(FINAL, shown_jobs={"j": ("succeeded", 4)})),
        ("view differs", replace(FINAL, shown_usage={**USAGE, "jobs": Decimal(2)})),
        ("view differs", replace(FINAL, shown_models=())),
        ("unsent", replace(FINAL, outbox=1)),
        ("dead letter", replace(FINAL, dead_letters=("ingest: a bug",))),
    ],
)
def test_the_final_state_does_not_fit(kind: str, final: Final) -> None:
    assert kind in kinds(check(TOLD, final))
