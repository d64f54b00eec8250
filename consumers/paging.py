"""Cursors of lists that go by time and id, newest first: opaque to whoever pages on."""

import base64
import binascii
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from schemas.errors import Refusal

Mark = tuple[datetime, UUID]
"""(created_at, id) of the last row of a page"""


class Row(Protocol):
    """A row that was read."""

    def __getitem__(self, name: str, /) -> Any:
        """One of its columns."""


def cursor_after(row: Row) -> str:
    """The cursor of the page that follows this row."""
    return base64.urlsafe_b64encode(f"{row['created_at'].isoformat()}|{row['id']}".encode()).decode().rstrip("=")


def mark_of(cursor: str | None) -> Mark | None:
    """Where a cursor leads; raises Refusal `invalid_cursor`."""
    if cursor is None:
        return None
    try:
        at, _, identifier = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("|")
        mark = datetime.fromisoformat(at), UUID(identifier)
    except (ValueError, binascii.Error):
        raise Refusal("invalid_cursor", "This cursor is none that a list gave.") from None
    if mark[0].tzinfo is None:
        raise Refusal("invalid_cursor", "This cursor is none that a list gave.")
    return mark
