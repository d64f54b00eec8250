"""A record's bytes and headers become an event in its current version, or the reason why not."""

import re
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from schemas.event import Event, Headers, schema_of, tenant_text
from schemas.payload import Payload
from schemas.upcasters import FORMERS, Formers, lifted

_SCHEMA = re.compile(r"urn:headrace:([a-z_]+\.[a-z_]+):v([1-9][0-9]{0,8})")


class Undecodable(Exception):
    """These bytes are not one of our events: dead-lettered, and read again once the reason is
    repaired.
    """


class FromNewer(Undecodable):
    """A whole event of ours, of a type or a version that this code does not know: a newer producer
    wrote it.

    Who does not want the type passes it over; who wants it keeps the record until it is upgraded.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def decode(
    value: bytes | None,
    headers: Headers,
    payloads: dict[str, type[Payload]],
    formers: Formers = FORMERS,
) -> Event:
    """The event in a record's bytes, in its current version.

    Raises `Undecodable` with the reason.
    """
    if value is None:
        raise Undecodable("the record has no value")
    kind = dict(headers).get("ce_type", b"").decode("latin-1")
    event = _at_once(value, payloads.get(kind)) or _step_by_step(value, headers, payloads, formers)
    _check_headers(event, headers)
    return event


def _at_once(value: bytes, payload: type[Payload] | None) -> Event | None:
    """In one pass, for a record as we write it; None leaves the reason, or another version, to
    the other way.
    """
    if payload is None or (model := _whole(payload)) is None:
        return None
    try:
        event = model.model_validate_json(value)
    except ValidationError:
        return None
    return event if (event.type, event.dataschema) == (payload.TYPE, schema_of(payload)) else None


@cache
def _whole(payload: type[Payload]) -> type[Event] | None:
    """The model of the event with this payload. None where that holds any JSON: read at once, a
    NaN would pass.
    """
    if "JsonValue" in payload.model_json_schema().get("$defs", {}):
        return None
    return Event[payload]  # type: ignore[valid-type]


def _step_by_step(
    value: bytes, headers: Headers, payloads: dict[str, type[Payload]], formers: Formers
) -> Event:
    try:
        parsed: Any = from_json(value)
    except ValueError as error:
        raise Undecodable(f"not JSON: {error}") from None
    if not isinstance(parsed, dict):
        raise Undecodable(f"not an object but {type(parsed).__name__}")
    kind = parsed.get("type")
    payload = payloads.get(kind) if isinstance(kind, str) else None
    try:
        if payload is not None and parsed.get("dataschema") == schema_of(payload):
            data: Payload = payload.model_validate(parsed.get("data"))
        else:
            data = _of_another_version(parsed, headers, payload, formers)
        return Event.model_validate({**parsed, "dataschema": schema_of(type(data)), "data": data})
    except ValidationError as error:
        raise Undecodable(_summary(error)) from None


def _of_another_version(
    parsed: dict[str, Any], headers: Headers, payload: type[Payload] | None, formers: Formers
) -> Payload:
    """The data of a former version, lifted.

    Raises FromNewer for a whole event that this code does not know.
    """
    kind, said = parsed.get("type"), parsed.get("dataschema")
    named = _SCHEMA.fullmatch(said) if isinstance(said, str) else None
    known = f"known is {schema_of(payload)}" if payload else "the type is unknown"
    if named is None or named[1] != kind:
        raise Undecodable(f"type {kind!r:.100} in version {said!r:.100}: {known}")
    former = formers.get((kind, int(named[2])))
    if former is None or payload is None:
        _check_headers(Event.model_validate({**parsed, "data": Payload()}), headers)
        raise FromNewer(kind, f"{said} comes from a newer producer: {known}"[:300])
    data = former.payload.model_validate(parsed.get("data"))
    try:
        return lifted(data, formers)
    except Exception as error:
        raise Undecodable(
            f"{said} cannot be lifted: {type(error).__name__}: {error}"[:300]
        ) from error


def _check_headers(event: Event, headers: Headers) -> None:
    """Refuse a record whose headers and value disagree: somebody filtered on one and would act
    on the other.
    """
    expected = {
        "ce_id": str(event.id),
        "ce_type": event.type,
        "ce_source": event.source,
        "ce_tenantid": tenant_text(event.tenantid),
    }
    for name, value in headers:
        if name in expected and value != expected[name].encode():
            raise Undecodable(
                f"header {name} says {value[:80]!r}, the value says {expected[name]!r}"
            )


def _summary(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(
        f"{'.'.join(map(str, one['loc'])) or 'event'}: {one['msg']}" for one in found[:5]
    )
