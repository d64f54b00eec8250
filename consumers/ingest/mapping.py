"""A webhook's payload becomes a command, by the mapping of its source: pure."""

import re
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from consumers.ingest.expression import Evaluation, Inapplicable, TooCostly
from schemas.ids import derived
from schemas.jobs import JobRequested, NewOptions
from schemas.webhooks import FORM, JSON

# As the API has it: a line is found by its name in a URL.
MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MOST_FIELDS = 1000
OPTIONS: TypeAdapter[dict[str, Any]] = TypeAdapter(NewOptions)
ESCAPED = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")


class Unmappable(Exception):
    """The mapping does not fit the payload; it can be mended and the message replayed."""


def job_of(event_id: UUID) -> UUID:
    """The job that a webhook starts, whatever its mapping."""
    return derived(event_id, "job")


def command(
    body: bytes, action: dict[str, Any], version: int, event_id: UUID, content_type: str = JSON
) -> JobRequested:
    """The job that a payload asks for; the same event always asks for the same job. Raises Unmappable."""
    evaluation = Evaluation(len(body))
    payload = payload_of(body, content_type)
    found = {name: search(name, one, payload, evaluation) for name, one in action["mapping"].items()}
    options = found.get("options") or {}
    _weigh("options", options, evaluation)
    try:
        return JobRequested(
            job_id=job_of(event_id), kind=action["command"], dataset_id=_id(found["dataset_id"]),
            target=_text("target", found["target"]), model=_model(found["model"]),
            options=OPTIONS.validate_python(options), origin="webhook", mapping_version=version,
        )  # fmt: skip
    except (ValueError, ValidationError) as error:
        raise Unmappable(f"mapping version {version} gives no training job: {error}") from None


def payload_of(body: bytes, content_type: str = JSON) -> Any:
    """What the body says. Raises Unmappable.

    A form is an object of its fields, each a text, or a list of texts when it comes more than once. With the one field
    `payload` it is the JSON in it, as GitHub and Slack's buttons send it.
    """
    # Escaped in a form, a bare brace begins none: it is JSON under the type that curl and others send unless told.
    fields = _form(body) if content_type == FORM and not body.lstrip().startswith((b"{", b"[")) else None
    if fields is not None and list(fields) != ["payload"]:
        return fields
    text = body if fields is None else fields["payload"]
    try:
        return from_json(text)
    except (ValueError, TypeError) as error:
        raise Unmappable(f"the payload is not JSON: {error}") from None


def search(name: str, expression: str, payload: Any, evaluation: Evaluation) -> Any:
    """What an expression finds; `name` says whose it is. Raises Unmappable."""
    try:
        return evaluation.search(expression, payload)
    except Inapplicable as error:
        raise Unmappable(f"{name} ({expression}) cannot be applied: {error}") from None


def shown(value: Any) -> str:
    """A value as an error names it: never more of it than a few characters, for its whole text may have no end."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of more than 77 digits"
    return repr(value[:80]) if isinstance(value, str) else repr(value)


def _form(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        body.decode()
        for field in body.split(b"&", MOST_FIELDS):
            name, _, value = field.partition(b"=")
            if field:
                found.setdefault(_unescaped(name), []).append(_unescaped(value))
        if body.count(b"&") >= MOST_FIELDS:
            raise ValueError("there are more")
    except ValueError as error:
        raise Unmappable(f"the payload is not a form of up to {MOST_FIELDS} fields in UTF-8: {error}") from None
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _unescaped(text: bytes) -> str:
    # Not urllib's: a percent sign that escapes nothing costs it an exception each, a megabyte of them half a second.
    plain = text.replace(b"+", b" ")
    return ESCAPED.sub(lambda run: bytes.fromhex(run[0].replace(b"%", b"").decode()), plain).decode()


def _weigh(name: str, value: Any, evaluation: Evaluation) -> None:
    """What an event holds is paid for: an expression can put one part of the payload into it a thousand times."""
    try:
        evaluation.budget.weigh(value)
    except TooCostly as error:
        raise Unmappable(f"{name} cannot be applied: {error}") from None


def _id(value: Any) -> UUID:
    return UUID(value if isinstance(value, str) else shown(value))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value or "\x00" in value or len(value) > 200:
        raise ValueError(f"{name} is {shown(value)}, not a text of 1 to 200 characters")
    return value


def _model(value: Any) -> str:
    if not isinstance(value, str) or not MODEL.fullmatch(value):
        raise ValueError(f"model is {shown(value)}, not up to 100 letters, digits, dots, dashes and underscores")
    return value
