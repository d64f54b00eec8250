"""Texts that people and programs give us, each with the one way in which it is written."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")


def _written(given: object) -> object:
    # pydantic takes a number too, as seconds since 1970: whoever mistypes a year would ask about
    # another century.
    if isinstance(given, int | float) or (isinstance(given, str) and not _RFC3339.fullmatch(given)):
        raise ValueError("a time is written as RFC 3339 has it, like 2026-03-01T09:00:00Z")
    return given


def in_the_calendar(at: datetime) -> datetime:
    """Return `at` itself.

    Raises ValueError when its offset puts it outside the years 1 to 9999 in UTC.
    """
    try:
        at.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time is between the years 1 and 9999 in UTC") from None
    return at


Moment = Annotated[AwareDatetime, BeforeValidator(_written), AfterValidator(in_the_calendar)]
"""A time with its zone."""

# Only documented here, not checked by pydantic: a text that no list gave has a code of its own.
Cursor = Annotated[str, Field(json_schema_extra={"pattern": "^[A-Za-z0-9_=-]{1,300}$"})]
"""Where a page ended, as `next_cursor` gave it."""

Dotted = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
"""A name of a topic or of a type."""
