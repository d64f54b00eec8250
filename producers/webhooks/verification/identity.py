"""The sender's own id of a delivery, out of a header or out of a body whose signature holds.

A body is read by a parser, tolerantly: what is odd elsewhere in it does not hide the id.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self

import jmespath
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

from producers.webhooks.verification.headers import HeaderName
from schemas.json_text import SMALL_BYTES, read_json, read_json_as_written

LONGEST_ID = 256
MOST_CONTAINERS = 50_000
"""Of a body that is read a second time, tolerantly."""
# Minus zero as an integer, in whatever encoding.
_MINUS_ZERO = re.compile(rb"-\0{0,3}0(?!\0{0,3}[0-9.eE])")
# Only ways into a body. A function or a literal could give every delivery the same id, and all but
# one would be lost; a projection or a pipe over a multi-select can grow without end.
_PATH_NODES = frozenset({"field", "subexpression", "index_expression", "index", "or_expression"})


def external_id(value: object) -> str | None:
    """The id if it is printable text of 1 to 256 characters, else None."""
    fits = isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable()
    return value if isinstance(value, str) and fits else None


def parsed(body: bytes) -> object:
    """A verified body as JSON, None when it is not; its depth was judged before."""
    try:
        return read_json(body, MOST_CONTAINERS)
    except ValueError:
        return None


def id_in(document: object, body: bytes, find: Callable[[object], object]) -> str | None:
    """The id at a place in a verified body and its document; that of a number is its text as sent.

    Only fractions and zero have more than one text: 1.5 and 1.50, 0 and -0. It takes another
    reading to tell, which a large body does not get: it has no id then.
    """
    value = find(document)
    if type(value) is float or (type(value) is int and value == 0 and _MINUS_ZERO.search(body)):
        if len(body) > SMALL_BYTES:
            return None
        value = find(read_json_as_written(body))
    return external_id(str(value) if type(value) is int else value)


def member(document: object, name: str) -> object:
    """A member of a JSON object, None where there is none."""
    return document.get(name) if isinstance(document, dict) else None


def _is_path(expression: str) -> str:
    try:
        found = jmespath.compile(expression).parsed
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        raise ValueError(f"not a JMESPath expression: {error}") from None
    waiting: list[Any] = [found]
    while waiting:
        node = waiting.pop()
        if node["type"] not in _PATH_NODES:
            raise ValueError(
                "an id is found by names and indexes only, as in data.id, items[0].id or id || "
                "event_id"
            )
        waiting.extend(node["children"])
    return expression


BodyPath = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_is_path)]


class IdOptions(BaseModel):
    """Where to read the sender's own id of a delivery, for a scheme that does not say."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id_header: HeaderName | None = None
    id_path: BodyPath | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.id_header is not None and self.id_path is not None:
            raise ValueError("id_header or id_path, not both")
        return self

    def _apart(self, *others: str | None) -> None:
        """Raise ValueError when one header is to say two things: what is shown as proof would be
        kept as the id.
        """
        named = [name for name in (self.id_header, *others) if name is not None]
        if len(set(named)) < len(named):
            raise ValueError("each header says one thing: name different ones")


def reader(options: IdOptions) -> Callable[[bytes, Mapping[str, str]], str | None]:
    """What reads the id of a delivery."""
    if options.id_path is not None:
        path = jmespath.compile(options.id_path)
        return lambda body, _: id_in(parsed(body), body, path.search)
    name = options.id_header
    if name is not None:
        return lambda _, headers: external_id(headers.get(name))
    return lambda _body, _headers: None
