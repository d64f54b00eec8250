"""What a replay is asked for, and what is refused: pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, ValidationError

from consumers.dead_letters.filter import DeadLetterCriteria, dead_letters_like
from consumers.dead_letters.filter import DeadLetterFilter as Letters
from schemas.errors import Refusal
from schemas.types import Moment

MOST_ITEMS = 100_000
STATES = ("pending", "applied", "already_applied", "failed_again", "skipped")
Kind = Literal["dead_letters", "requests"]
Ids = Annotated[tuple[UUID, ...], Field(min_length=1, max_length=1000)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]


class DeadLetterChoice(DeadLetterCriteria):
    """The parked dead letters that are meant, or some by their ids, whatever their state."""

    ids: Ids | None = None

    def letters(self) -> Letters:
        """As the rows are asked."""
        found = dead_letters_like(self, None if self.ids else "parked")
        return found.model_copy(update={"ids": self.ids})


class RequestChoice(BaseModel):
    """The requests that are meant; `to` is not included. Without an outcome: those that were
    accepted.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True)
    ids: Ids | None = None
    source_id: UUID | None = None
    outcome: Literal["accepted", "duplicate", "rejected"] | None = None
    since: Moment | None = Field(None, alias="from")
    until: Moment | None = Field(None, alias="to")


Choice = DeadLetterChoice | RequestChoice


class NewReplay(BaseModel):
    """The body of `POST /v1/replays`."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind = "dead_letters"
    filter: dict[str, Any]
    reason: Reason | None = None
    dry_run: StrictBool = False
    throttle_per_second: Annotated[float, Field(ge=0.01, le=10_000, allow_inf_nan=False)] | None = (
        None
    )
    expected: Annotated[int, Field(strict=True, ge=0, le=MOST_ITEMS)] | None = None

    def choice(self) -> Choice:
        """Its filter, as its kind has it; raises Refusal `invalid_filter`."""
        try:
            model = DeadLetterChoice if self.kind == "dead_letters" else RequestChoice
            return model.model_validate(self.filter)
        except ValidationError as error:
            found = "; ".join(
                f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5]
            )
            raise Refusal("invalid_filter", f"filter: {found}") from None


@dataclass(frozen=True, slots=True)
class Target:
    """One message of a replay; `refused` says why it can never be handled."""

    subject: UUID
    event_id: UUID | None
    consumer: str
    refused: str | None = None


def check_consumers(named: Collection[str], known: Collection[str]) -> None:
    """Only consumers replay; raises Refusal `not_replayable`."""
    for name in named:
        if name.startswith("projection."):
            message = (
                f"Dead letters of {name} are not replayed: fix the cause, then rebuild the "
                "projection."
            )
            raise Refusal("not_replayable", message, consumer=name)
        if name not in known:
            raise Refusal("not_replayable", f"There is no consumer {name!r}.", consumer=name)


def check_count(matched: int, choice: Choice, expected: int | None) -> None:
    """No more than was seen in a dry run; raises Refusal."""
    if choice.ids is not None and matched < len(set(choice.ids)):
        raise Refusal("not_found", "One of these ids is unknown.")
    if matched > MOST_ITEMS:
        raise Refusal(
            "too_many_matched", f"More than {MOST_ITEMS} match: narrow the filter.", most=MOST_ITEMS
        )
    if expected is None and choice.ids is None:
        raise Refusal(
            "expected_required", "Say how many you expect, as a dry run answers it: expected."
        )
    if expected is not None and matched > expected:
        message = f"{matched} match now, {expected} were expected: look again with dry_run."
        raise Refusal("more_matched", message, matched=matched, expected=expected)


def outcome_counts(found: Mapping[str, int]) -> dict[str, int]:
    """How many items are in each state, all of them named."""
    return {state: found.get(state, 0) for state in STATES}
