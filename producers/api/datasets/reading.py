"""What an upload says of how its cells are to be read: the parameters `missing`, `types` and
`forget`. Pure.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from schemas.datasets import ColumnType, Reading
from schemas.errors import Refusal

PARAMETERS = ("missing", "types", "forget")
TYPES: tuple[str, ...] = get_args(ColumnType)
MOST_WORDS = 200
MOST_WORD_CHARACTERS = 100
MOST_COLUMNS = 2000
MOST_NAME_CHARACTERS = 400
MOST_TYPES_BYTES = 128 << 10
_COLUMN = re.compile(rf"(.+?):({'|'.join(TYPES)})(?:,|$)", re.DOTALL)
_YES = {"true": True, "1": True, "": True, "false": False, "0": False}


def reading_of(said: Mapping[str, Sequence[str]]) -> Reading | None:
    """The reading that parameters give, each by its values; None where they say nothing.

    Raises Refusal `invalid_reading`.
    """
    forget = said.get("forget", ["false"])[-1].lower()
    if forget not in _YES:
        raise _refused("forget is true or false.")
    missing = _words(said["missing"]) if "missing" in said else None
    types = _types(said["types"]) if "types" in said else None
    if missing is None and types is None and not _YES[forget]:
        return None
    return Reading(missing=missing, types=types, alone=_YES[forget])


def _words(values: Iterable[str]) -> tuple[str, ...]:
    """Comma lists, or JSON lists where a word has a comma; the empty cell is missing anyway."""
    words: set[str] = set()
    for value in values:
        found = _json(value, "[")
        listed = value.split(",") if not isinstance(found, list) else found
        if not all(isinstance(word, str) for word in listed):
            raise _refused('missing is a comma list, or a JSON list of texts: ["NA", "n/a"].')
        words.update(word.strip(" \t") for word in listed)
    words.discard("")
    if len(words) > MOST_WORDS or any(len(word) > MOST_WORD_CHARACTERS for word in words):
        raise _refused(
            f"missing has at most {MOST_WORDS} words of at most {MOST_WORD_CHARACTERS} characters."
        )
    return tuple(sorted(map(_storable, words)))


def _types(values: Iterable[str]) -> dict[str, str]:
    """`column:type` in comma lists, or a JSON object of column to type."""
    types: dict[str, str] = {}
    for value in values:
        found = _json(value, "{")
        types.update(found if isinstance(found, dict) else _listed(value))
    for name, kind in types.items():
        if kind not in TYPES:
            near = get_close_matches(str(kind), TYPES, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise _refused(f"{str(kind)[:100]!r} is no type: it is one of {', '.join(TYPES)}{hint}")
        if not name or len(name) > MOST_NAME_CHARACTERS:
            raise _refused("types has a column's name before each colon.")
    if len(types) > MOST_COLUMNS:
        raise _refused(f"types names at most {MOST_COLUMNS} columns.")
    whole = {_storable(name): kind for name, kind in types.items()}
    if sum(len(name.encode()) for name in whole) > MOST_TYPES_BYTES:
        raise _refused(f"the names in types take at most {MOST_TYPES_BYTES} bytes.")
    return whole


def _listed(value: str) -> dict[str, str]:
    found: dict[str, str] = {}
    place = 0
    while place < len(value):
        one = _COLUMN.match(value, place)
        if one is None:
            return found | _unknown(value[place:])
        found[one[1].strip()] = one[2]
        place = one.end()
    return found


def _unknown(rest: str) -> dict[str, str]:
    """The column and the type of what is not `column:type`, so that the refusal can name the
    type.
    """
    name, colon, kind = rest.partition(":")
    if not colon:
        raise _refused(f"types is column:type, such as zip:text; {rest[:100]!r} has no colon.")
    return {name: kind.split(",")[0]}


def _json(value: str, opening: str) -> Any:
    if not value.lstrip().startswith(opening):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= mark <= "\udfff" for mark in text):
        raise _refused("missing or types have a character that cannot be stored.")
    return text


def _refused(message: str) -> Refusal:
    return Refusal("invalid_reading", message)
