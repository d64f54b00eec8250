"""Headers as schemes read them: lower-case names, one text each, and nothing odd inside."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import StringConstraints

LONGEST = 8192
HeaderName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", min_length=1, max_length=100, to_lower=True
    ),
]


def gathered(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """One text for each name.

    A repeated name has its values joined by a line feed, which no scheme takes for one.
    """
    headers: dict[str, str] = {}
    for name, value in raw:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}\n{text}" if key in headers else text
    return headers


def plain(headers: Mapping[str, str], name: str) -> str | None:
    """The header's text; None when it is missing, sent twice, too long or not printable ASCII."""
    value = headers.get(name)
    if value is None or len(value) > LONGEST or not value.isascii() or not value.isprintable():
        return None
    return value


def repeated(headers: Mapping[str, str], name: str) -> bool:
    """Whether the header was sent more than once."""
    return "\n" in headers.get(name, "")
