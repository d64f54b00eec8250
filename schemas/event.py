"""The envelope: CloudEvents 1.0, written as the bytes of a Kafka record."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Annotated, Generic, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, SerializeAsAny, StringConstraints
from typing_extensions import TypeVar

from schemas.ids import derived
from schemas.payload import Frozen, Payload

CONTENT_TYPE = "application/cloudevents+json"
Subject = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
TraceParent = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")
]
Headers = tuple[tuple[str, bytes], ...]
Data = TypeVar("Data", bound=Payload, default=Payload)


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
        return f"{tenant_text(self.tenantid)}:{self.subject}".encode()

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
def tenant_text(tenant: UUID) -> str:
    """A tenant's id as text."""
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
