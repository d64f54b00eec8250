"""What a replay may be asked for, and the verdict on each message."""

from typing import Any
from uuid import uuid4

import pytest

from consumers.dead_letters.failure import failure_of
from consumers.log.outcome import Applied, Ignored, Rejected
from consumers.replays.replay import (
    MOST_ITEMS,
    DeadLetterChoice,
    NewReplay,
    RequestChoice,
    check_consumers,
    check_count,
    outcome_counts,
)
from consumers.replays.worker.decide import Found, State, Verdict, after, before, of_twin
from schemas.errors import Refusal
from schemas.jobs import JobCancelRequested
from tests.factories import door_event

LETTER = uuid4()


def found(letter: str | None = None, *, of_request: bool = False, consumed: bool = True) -> Found:
    return Found(of_request, consumed, LETTER, letter)


@pytest.mark.parametrize("letter", ["parked", "replaying"])
@pytest.mark.parametrize("consumed", [True, False])
def test_an_open_letter_is_handled(letter: str, consumed: bool) -> None:
    assert before(found(letter, consumed=consumed)) is None


@pytest.mark.parametrize(
    ("known", "state"),
    [
        (found("applied"), "already_applied"),
        (found("discarded"), "skipped"),
        (found(None), "skipped"),
        (found("discarded", of_request=True), "skipped"),
        (found(None, of_request=True, consumed=False), "skipped"),
    ],
)
def test_what_is_decided_before_is_not_handled(known: Found, state: str) -> None:
    verdict = before(known)
    assert verdict is not None
    assert verdict.state == state
    assert verdict.detail


@pytest.mark.parametrize("letter", [None, "parked", "replaying", "applied"])
def test_a_consumed_request_is_handled_whatever_its_letter_says_but_discarded(
    letter: str | None,
) -> None:
    # Applied under another mapping is not the same as having had its effect: the log knows that.
    assert before(found(letter, of_request=True)) is None


def test_outcomes_become_verdicts() -> None:
    event = door_event(JobCancelRequested(job_id=LETTER, reason="enough"), LETTER)
    assert after(Applied((event,))) == Verdict("applied", events=(event,))
    assert after(Ignored("the job exists")).state == "already_applied"
    failed = after(Rejected("user_config", "no such path"))
    assert (failed.state, failed.detail) == ("failed_again", "user_config: no such path")
    assert failed.failure is not None
    assert failed.failure.error_class == "user_config"


def test_the_letter_follows_the_verdict() -> None:
    states: tuple[State, ...] = ("applied", "already_applied", "failed_again", "skipped")
    assert [Verdict(state).letter_state for state in states] == [
        "applied",
        "applied",
        "parked",
        "parked",
    ]


def test_the_twin_of_an_event_decides() -> None:
    assert of_twin(None).state == "already_applied"
    assert of_twin((LETTER, "applied")).state == "already_applied"
    for state in ("parked", "replaying", "discarded"):
        assert of_twin((LETTER, state)).state == "skipped"


def test_a_bug_keeps_its_stack_apart_and_bounded() -> None:
    def deep(levels: int) -> None:
        if levels:
            deep(levels - 1)
        raise KeyError("x" * 9000)

    with pytest.raises(KeyError) as caught:
        deep(50)
    bug = failure_of(caught.value, permanent=False)
    assert bug.error_class == "bug"
    assert "File " not in bug.error
    assert bug.stack
    assert len(bug.stack) <= 3000
    assert failure_of(caught.value, permanent=True).stack is None


def code(call: Any, *given: Any) -> str:
    with pytest.raises(Refusal) as caught:
        call(*given)
    return caught.value.code


@pytest.mark.parametrize(
    ("matched", "choice", "expected", "refused"),
    [
        (3, DeadLetterChoice(), None, "expected_required"),
        (4, DeadLetterChoice(), 3, "more_matched"),
        (MOST_ITEMS + 1, DeadLetterChoice(), MOST_ITEMS, "too_many_matched"),
        (1, DeadLetterChoice(ids=(uuid4(), uuid4())), None, "not_found"),
        (0, RequestChoice(ids=(uuid4(),)), 5, "not_found"),
    ],
)
def test_counts_that_are_refused(
    matched: int, choice: Any, expected: int | None, refused: str
) -> None:
    assert code(check_count, matched, choice, expected) == refused


@pytest.mark.parametrize(
    ("matched", "choice", "expected"),
    [
        (3, DeadLetterChoice(), 3),
        (0, DeadLetterChoice(), 3),
        (1, DeadLetterChoice(ids=(LETTER, LETTER)), None),
    ],
)
def test_counts_that_are_taken(matched: int, choice: Any, expected: int | None) -> None:
    check_count(matched, choice, expected)


def test_projections_are_rebuilt_not_replayed() -> None:
    with pytest.raises(Refusal, match="rebuild"):
        check_consumers(["projection.jobs"], {"ingest"})
    assert code(check_consumers, ["nobody"], {"ingest"}) == "not_replayable"
    check_consumers(["ingest"], {"ingest"})


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("dead_letters", {"source_id": str(LETTER)}),
        ("requests", {"consumer": "ingest"}),
        ("dead_letters", {"ids": []}),
        ("dead_letters", {"from": "2026-01-01T00:00:00"}),
        ("dead_letters", {"state": "discarded"}),
        ("requests", {"outcome": "lost"}),
        ("dead_letters", {"consumer": "a\x00b"}),
    ],
)
def test_a_filter_has_the_words_of_its_kind(kind: Any, given: dict[str, Any]) -> None:
    assert code(NewReplay(kind=kind, filter=given).choice) == "invalid_filter"


def test_a_filter_means_what_is_parked_unless_it_names_ids() -> None:
    by_words = NewReplay(filter={"class": "user_config", "from": "2026-01-01T00:00:00Z"}).choice()
    assert isinstance(by_words, DeadLetterChoice)
    assert (by_words.letters().state, by_words.letters().error_class) == ("parked", "user_config")
    by_ids = NewReplay(filter={"ids": [str(LETTER)]}).choice()
    assert isinstance(by_ids, DeadLetterChoice)
    assert (by_ids.letters().state, by_ids.letters().ids) == (None, (LETTER,))


def test_every_outcome_is_counted() -> None:
    assert outcome_counts({"applied": 2}) == {
        "pending": 0,
        "applied": 2,
        "already_applied": 0,
        "failed_again": 0,
        "skipped": 0,
    }
