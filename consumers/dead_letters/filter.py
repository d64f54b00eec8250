"""Which dead letters are meant: the same words in lists, groups and replays."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from schemas.types import Cursor, Moment

State = Literal["parked", "replaying", "applied", "discarded"]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


class DeadLetterCriteria(BaseModel):
    """What a dead letter can be found by; `from` and `to` are about its first failure, `to` is
    not included.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True)
    consumer: Word | None = None
    error_class: Word | None = Field(None, alias="class")
    event_type: Word | None = Field(None, alias="type")
    fingerprint: Word | None = None
    since: Moment | None = Field(None, alias="from")
    until: Moment | None = Field(None, alias="to")


class DeadLetterFilter(DeadLetterCriteria):
    """Letters by what they are, or one by one by their ids."""

    ids: Annotated[tuple[UUID, ...], Field(min_length=1, max_length=1000)] | None = None
    state: State | None = None


class GroupPage(DeadLetterCriteria):
    """The query of the groups."""

    state: State | None = None
    limit: int = Field(50, ge=1, le=200)


class LetterPage(GroupPage):
    """The query of the list."""

    cursor: Cursor | None = None


def dead_letters_like(words: DeadLetterCriteria, state: State | None) -> DeadLetterFilter:
    """The filter in a query."""
    found = {name: getattr(words, name) for name in DeadLetterCriteria.model_fields}
    return DeadLetterFilter(**found, state=state)
