"""The position of a reader in a list, as an opaque text. Pure."""

import base64
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from schemas.errors import Refusal
from schemas.types import in_the_calendar

Place = tuple[datetime, UUID]
"""Time and id of the last row of a page."""


def encoded(*parts: str | int) -> str:
    """The cursor for these parts."""
    return (
        base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode())
        .rstrip(b"=")
        .decode()
    )


def decoded(cursor: str, *kinds: type) -> tuple[Any, ...]:
    """The parts of a cursor, each of its kind; raises Refusal `invalid_cursor`."""
    try:
        parts = json.loads(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        )
    except (ValueError, RecursionError):
        parts = None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise _foreign()
    return tuple(parts)


def encoded_place(at: datetime, place: UUID) -> str:
    """The cursor of a list that is sorted by time and, where times are equal, by id."""
    return encoded(at.isoformat(), str(place))


def decoded_place(cursor: str | None) -> Place | None:
    """Its time and id; None for none."""
    if cursor is None:
        return None
    at, place = decoded(cursor, str, str)
    try:
        found = datetime.fromisoformat(at), UUID(place)
        if found[0].tzinfo is None:
            raise _foreign()
        in_the_calendar(found[0])
    except ValueError:
        raise _foreign() from None
    return found


def _foreign() -> Refusal:
    return Refusal(
        "invalid_cursor", "This is not a cursor of this list: use next_cursor as it was given."
    )
