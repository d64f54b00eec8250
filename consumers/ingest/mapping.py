"""A webhook's payload becomes a command, by the mapping of its source: pure."""

import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from consumers.ingest.expression import Evaluation, Inapplicable, TooCostly
from schemas.ids import derived
from schemas.jobs import JobRequested, NewOptions
from schemas.json_text import holds_surrogate, read_json
from schemas.webhooks import FORM, JSON

# As the API has it: a line is found by its name in a URL.
MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
MOST_FIELDS = 1000
MOST_NAME = 200
OPTIONS: TypeAdapter[dict[str, Any]] = TypeAdapter(NewOptions)
ESCAPED = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")


class Unmappable(Exception):
    """The mapping does not fit the payload; with another mapping the message can be replayed.

    The text begins with the field in backticks, where one is to blame: letters are grouped by it.
    """


def job_of(event_id: UUID) -> UUID:
    """The job that a webhook starts, whatever its mapping."""
    return derived(event_id, "job")


@dataclass(frozen=True, slots=True)
class Asked:
    """The job that a payload asks for; `dataset` is an id, or a name whose newest valid version
    is meant.
    """

    dataset: UUID | str
    expression: str
    whole: JobRequested

    def job(self, dataset_id: UUID | None) -> JobRequested:
        """The same with the dataset that was found; raises Unmappable where none was."""
        if dataset_id is None:
            gave = _gave("dataset_id", self.expression, self.dataset)
            error = f"{gave}; there is no dataset of this name with a valid version"
            raise _of_version(error, self.whole.mapping_version)
        return self.whole.model_copy(update={"dataset_id": dataset_id})


def command(
    body: bytes, action: dict[str, Any], version: int, event_id: UUID, content_type: str = JSON
) -> Asked:
    """The job that a payload asks for; the same event always asks for the same job.

    Raises Unmappable.
    """
    evaluation = Evaluation(len(body))
    mapping = action["mapping"]
    try:
        payload = payload_of(body, content_type)
        found = {name: search(name, one, payload, evaluation) for name, one in mapping.items()}
        for name, one in mapping.items():
            wrong = None if name == "options" else _CHECKS[name](found[name])
            if wrong is not None:
                raise Unmappable(f"{_gave(name, one, found[name])}; {wrong}")
        options = _options(mapping.get("options", ""), found.get("options"), evaluation)
    except Unmappable as error:
        raise _of_version(error, version) from None
    dataset = _id_or_name(found["dataset_id"])
    whole = JobRequested(
        job_id=job_of(event_id),
        kind=action["command"],
        dataset_id=dataset if isinstance(dataset, UUID) else UUID(int=0),
        target=found["target"],
        model=found["model"],
        options=options,
        origin="webhook",
        mapping_version=version,
    )
    return Asked(dataset, mapping["dataset_id"], whole)


def payload_of(body: bytes, content_type: str = JSON) -> Any:
    """What the body says. Raises Unmappable.

    A form is an object of its fields, each a text, or a list of texts when it comes more than once.
    With the one field `payload` it is the JSON in it, as GitHub and Slack's buttons send it.
    """
    # Escaped in a form, a bare brace begins none: it is JSON under the type that curl and others
    # send by default.
    fields = (
        _form(body) if content_type == FORM and not body.lstrip().startswith((b"{", b"[")) else None
    )
    if fields is not None and list(fields) != ["payload"]:
        return fields
    text = body if fields is None else fields["payload"]
    try:
        return read_json(text)
    except (ValueError, TypeError) as error:
        raise Unmappable(f"the payload is not JSON: {error}") from None


def has_types(body: bytes, content_type: str) -> bool:
    """Whether the values of a payload have types of their own: all fields of a form are texts."""
    if content_type != FORM or body.lstrip().startswith((b"{", b"[")):
        return True
    return list(_form(body)) == ["payload"]


def search(name: str, expression: str, payload: Any, evaluation: Evaluation) -> Any:
    """What an expression finds; `name` says whose it is. Raises Unmappable."""
    try:
        return evaluation.search(expression, payload)
    except Inapplicable as error:
        raise Unmappable(
            f"`{name}`: `{shortened(expression)}` cannot be applied: {error}"
        ) from None


def shown(value: Any) -> str:
    """A value as an error names it: never more of it than a few characters, for its whole text
    may have no end.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    if isinstance(value, int) and value.bit_length() > 256:
        return "a number of more than 77 digits"
    return repr(value[:80]) if isinstance(value, str) else repr(value)


def shortened(expression: str) -> str:
    """An expression as an error names it: in one line, and without the mark that encloses it
    there.
    """
    line = " ".join(expression.replace("`", "'").split())
    return line if len(line) <= 200 else f"{line[:200]}…"


def not_storable(text: str) -> bool:
    """Whether a text has a character that no column and no event takes."""
    return "\x00" in text or holds_surrogate(text)


def _form(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        for field in body.split(b"&", MOST_FIELDS):
            name, _, value = field.partition(b"=")
            if field:
                found.setdefault(_unescaped(name), []).append(_unescaped(value))
        if body.count(b"&") >= MOST_FIELDS:
            raise ValueError("there are more")
    except ValueError as error:
        raise Unmappable(
            f"the payload is not a form of up to {MOST_FIELDS} fields: {error}"
        ) from None
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _unescaped(text: bytes) -> str:
    # Not urllib's: a percent sign that escapes nothing costs it an exception each, a megabyte of
    # them half a second.
    plain = text.replace(b"+", b" ")
    return ESCAPED.sub(lambda run: bytes.fromhex(run[0].replace(b"%", b"").decode()), plain).decode(
        errors="surrogateescape"
    )


def _of_version(error: object, version: int | None) -> Unmappable:
    return Unmappable(f"{error} (mapping version {version})")


def _gave(name: str, expression: str, value: Any) -> str:
    return f"`{name}`: `{shortened(expression)}` gave {shown(value)}"


def _options(expression: str, value: Any, evaluation: Evaluation) -> dict[str, Any]:
    """What an event holds is paid for: an expression can put one part of the payload into it a
    thousand times.
    """
    given = value or {}
    try:
        evaluation.budget.weigh(given)
        return OPTIONS.validate_python(given)
    except TooCostly as error:
        raise Unmappable(
            f"`options`: `{shortened(expression)}` cannot be applied: {error}"
        ) from None
    except ValidationError as error:
        wrong = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise Unmappable(f"{_gave('options', expression, value)}; {wrong}") from None


def _id_or_name(value: str) -> UUID | str:
    try:
        return UUID(value)
    except ValueError:
        return value


def _dataset_error(value: Any) -> str | None:
    fits = isinstance(value, str) and 0 < len(value) <= MOST_NAME and not not_storable(value)
    return None if fits else "expected a dataset's id or name"


def _target_error(value: Any) -> str | None:
    fits = isinstance(value, str) and 0 < len(value) <= MOST_NAME and not not_storable(value)
    return None if fits else f"expected a column's name, a text of 1 to {MOST_NAME} characters"


def _model_error(value: Any) -> str | None:
    fits = isinstance(value, str) and MODEL.fullmatch(value)
    return (
        None
        if fits
        else "expected a model's name, up to 100 letters, digits, dots, dashes and underscores"
    )


_CHECKS = {"dataset_id": _dataset_error, "target": _target_error, "model": _model_error}
