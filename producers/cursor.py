"""Where a reader stands in a list, as an opaque text. Pure."""

import base64
import json
from typing import Any

from schemas.errors import Refusal


def encoded(*parts: str | int) -> str:
    """The cursor for these parts."""
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).rstrip(b"=").decode()


def decoded(cursor: str, *kinds: type) -> tuple[Any, ...]:
    """The parts of a cursor, each of its kind; raises Refusal `invalid_cursor`."""
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (ValueError, RecursionError):
        parts = None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise Refusal("invalid_cursor", "This is not a cursor of this list: use next_cursor as it was given.")
    return tuple(parts)
