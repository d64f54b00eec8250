"""The envelope: CloudEvents 1.0, written and read as the bytes that stand on Kafka."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Annotated, Any, Generic, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, SerializeAsAny, StringConstraints, ValidationError
from pydantic_core import from_json
from typing_extensions import TypeVar

from schemas.ids import derived
from schemas.payload import Frozen, Payload
from schemas.upcasters import FORMERS, Formers, lifted

CONTENT_TYPE = "application/cloudevents+json"
Subject = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
TraceParent = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
]
Headers = tuple[tuple[str, bytes], ...]
Data = TypeVar("Data", bound=Payload, default=Payload)
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


@dataclass(frozen=True, slots=True)
class Cause:
    """What an event follows from: carried by work rows, so that a child's result keeps the
    chain.
    """

    id: UUID
    tenant: UUID
    correlation: UUID
    traceparent: str | None


class Event(Frozen, Generic[Data]):
    """One fact about one aggregate; `aggregateversion` is 0 for a request to the owner, then 1,
    2, …
    """

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: str
    type: str
    subject: Subject
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    tenantid: UUID
    correlationid: UUID
    causationid: UUID | None = None
    aggregateversion: int = Field(ge=0, lt=1 << 63)
    traceparent: TraceParent | None = None
    data: SerializeAsAny[Data]

    @property
    def key(self) -> bytes:
        """What Kafka partitions by: one aggregate of one tenant."""
        return f"{_text(self.tenantid)}:{self.subject}".encode()

    @property
    def cause(self) -> Cause:
        """This event as the cause of the next."""
        return Cause(self.id, self.tenantid, self.correlationid, self.traceparent)

    def encode(self) -> bytes:
        """The record's value: the event as JSON."""
        return self.model_dump_json().encode()

    def headers(self) -> Headers:
        """The record's headers: what can be filtered on without parsing."""
        pairs = [
            ("content-type", CONTENT_TYPE),
            ("ce_specversion", self.specversion),
            ("ce_id", str(self.id)),
            ("ce_type", self.type),
            ("ce_source", self.source),
            ("ce_time", self.time.isoformat().replace("+00:00", "Z")),
            ("ce_tenantid", str(self.tenantid)),
        ]
        if self.traceparent:
            pairs.append(("traceparent", self.traceparent))
        return tuple((name, value.encode()) for name, value in pairs)


@lru_cache(maxsize=10_000)
def _text(tenant: UUID) -> str:
    # Writing a UUID out takes longer than looking it up, and each record asks for its tenant's
    # twice.
    return str(tenant)


@cache
def schema_of(payload: type[Payload]) -> str:
    """The `dataschema` of a payload class: its type and version."""
    return f"urn:headrace:{payload.TYPE}:v{payload.VERSION}"


def first(
    data: Payload,
    *,
    id: UUID,
    source: str,
    subject: str,
    tenant: UUID,
    at: datetime,
    traceparent: str | None,
) -> Event:
    """An event that begins a chain: what acceptance writes."""
    return Event(
        id=id,
        source=source,
        type=data.TYPE,
        subject=subject,
        time=at,
        dataschema=schema_of(type(data)),
        tenantid=tenant,
        correlationid=id,
        aggregateversion=0,
        traceparent=traceparent,
        data=data,
    )


def following(
    cause: Cause,
    data: Payload,
    *,
    by: str,
    subject: str,
    version: int,
    at: datetime,
    ordinal: object = 0,
) -> Event:
    """An event that follows from `cause`: the same step, repeated, gives the same id."""
    return Event(
        id=derived(cause.id, by, data.TYPE, subject, ordinal),
        source=f"/headrace/{by}",
        type=data.TYPE,
        subject=subject,
        time=at,
        dataschema=schema_of(type(data)),
        tenantid=cause.tenant,
        correlationid=cause.correlation,
        causationid=cause.id,
        aggregateversion=version,
        traceparent=cause.traceparent,
        data=data,
    )


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
        "ce_tenantid": _text(event.tenantid),
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
