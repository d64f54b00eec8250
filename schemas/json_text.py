"""Reads JSON that others wrote: strictly where that works, else with what the grammar lets pass.

The grammar allows an escape that is half of a surrogate pair, and numbers of any length; senders
also write a byte order mark, UTF-16, and now and then a byte that is not UTF-8. None of these is a
reason to lose the rest of a text.
"""

import json
import re
from typing import Any

from pydantic_core import from_json

MOST_DIGITS = 4300
"""What Python makes an integer of; a longer number is read as a float, which is mostly infinite."""
SMALL_BYTES = 64 << 10
"""Up to here a text may be read more than once: what a parser takes for it holds up nobody else."""
_TOO_MANY_DIGITS = re.compile(rf"(?<![0-9])[0-9]{{{MOST_DIGITS + 1}}}")


class NumberText(str):
    """A number as it was written."""

    __slots__ = ()


def read_json(text: bytes | str, most_containers: int | None = None) -> Any:
    """The value of a JSON text; raises ValueError where it is none.

    What the strict parser refuses is not read again where it has more than `most_containers` arrays
    and objects: the tolerant parser lets no other thread go on until it has built all of them. What
    cannot be encoded, half of a surrogate pair or a byte that is not UTF-8, is a lone surrogate in
    its string.
    """
    try:
        return from_json(text)
    except ValueError:
        given = decoded(text)
        if most_containers is not None and given.count("[") + given.count("{") > most_containers:
            raise
        return _tolerant(given)


def read_json_as_written(text: bytes | str) -> Any:
    """The same value with each fraction as a `NumberText`.

    And each integer, where one may be minus zero.
    """
    given = decoded(text)
    integers = {"parse_int": _text} if "-0" in given else {}
    return _tolerant(given, parse_float=_text, **integers)


def decoded(text: bytes | str) -> str:
    """The characters of a JSON text, without a byte order mark; raises ValueError where they are in
    no encoding.

    Half of a surrogate pair as such, in UTF-16 or UTF-32, is taken in a small text only: each is a
    call.
    """
    if isinstance(text, str):
        return text.removeprefix("\ufeff")
    encoding = json.detect_encoding(text)
    if encoding.startswith("utf-8"):
        return text.decode(encoding, "surrogateescape")
    errors = "surrogatepass" if len(text) <= SMALL_BYTES else "strict"
    return text.decode(encoding, errors)


def holds_surrogate(text: str) -> bool:
    """Whether a text has a character that cannot be encoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _tolerant(text: str, **numbers: Any) -> Any:
    try:
        if "parse_int" not in numbers and _TOO_MANY_DIGITS.search(text):
            numbers["parse_int"] = _integer
        return json.loads(text, **numbers)
    except RecursionError:
        raise ValueError("nested too deep") from None


# Functions, where the type itself would do: other threads have their turn between two calls of one.
def _text(digits: str) -> NumberText:
    return NumberText(digits)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= MOST_DIGITS else float(digits)
