"""How many bytes texts and events may have.

Limits are bytes, since a character takes up to four.
"""

import json
from collections.abc import Callable
from typing import Any

MOST_EVENT_BYTES = 900 << 10
"""The largest value of a record; the database refuses a larger one (`events_value_sendable`)."""
MOST_OPTIONS_BYTES = 16 << 10


def size_of(text: str) -> int:
    """The bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))


def cut(text: str, most: int, mark: str = "…") -> str:
    """The text, or its beginning of at most `most` bytes with the mark; no character is parted."""
    if size_of(text) <= most:
        return text
    room = most - size_of(mark)
    return text.encode(errors="surrogatepass")[:room].decode(errors="ignore") + mark


def cut_front(text: str, most: int) -> str:
    """The text, or its end of at most `most` bytes; no character is parted."""
    return text.encode(errors="surrogatepass")[-most:].decode(errors="ignore")


def json_size_of(value: Any) -> int:
    """The bytes of a value written as compact JSON."""
    return size_of(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def at_most(most: int, what: str) -> Callable[[Any], Any]:
    """A validator that refuses a value of more than `most` bytes as JSON."""

    def check(value: Any) -> Any:
        found = json_size_of(value)
        if found > most:
            raise ValueError(f"{what} takes {found} bytes as JSON, {most} are allowed")
        return value

    return check
