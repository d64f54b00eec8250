"""What becomes of a message that is replayed: pure."""

from dataclasses import dataclass
from typing import Literal, assert_never
from uuid import UUID

from consumers.dead_letters.failure import HandlingFailure
from consumers.log.outcome import Applied, Ignored, Outcome, Rejected
from schemas.event import Event

State = Literal["applied", "already_applied", "failed_again", "skipped"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is noted of a message: its outcome in words, the events to append, and why it failed
    if it did.
    """

    state: State
    detail: str | None = None
    events: tuple[Event, ...] = ()
    failure: HandlingFailure | None = None

    @property
    def letter_state(self) -> Literal["applied", "parked"]:
        """What its dead letter is after it, unless that was decided before."""
        return "applied" if self.state in ("applied", "already_applied") else "parked"


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a message before it is handled, all of it locked; `letter` is its dead
    letter's state.
    """

    of_request: bool
    consumed: bool
    letter_id: UUID | None
    letter: str | None


def before(found: Found) -> Verdict | None:
    """The verdict that is known before anything is tried; None: handle it."""
    if found.letter == "discarded":
        return Verdict("skipped", f"the dead letter {found.letter_id} was discarded")
    if found.of_request:
        # The subscription will handle it; were it done here, what fails would be in nobody's dead
        # letters.
        return None if found.consumed else Verdict("skipped", "ingest has not consumed it yet")
    if found.letter is None:
        return Verdict("skipped", "the dead letter is gone")
    if found.letter == "applied":
        return Verdict("already_applied", "the dead letter was applied before")
    return None


def of_twin(letter: tuple[UUID, str] | None) -> Verdict:
    """A record that can be read now, of an event that was consumed from another record."""
    if letter is not None and letter[1] != "applied":
        return Verdict("skipped", f"the same event is in the dead letter {letter[0]}")
    return Verdict("already_applied", "the event was consumed from another record")


def after(outcome: Outcome) -> Verdict:
    """The verdict on what the handler said."""
    match outcome:
        case Applied(events):
            return Verdict("applied", events=events)
        case Ignored(reason):
            return Verdict("already_applied", f"nothing was left to do: {reason}")
        case Rejected(failure_class, reason):
            return failed(HandlingFailure(failure_class, reason))
        case _:
            assert_never(outcome)


def failed(failure: HandlingFailure) -> Verdict:
    """It failed once more."""
    return Verdict("failed_again", f"{failure.error_class}: {failure.error}", failure=failure)
