"""What the route of events answers, for the OpenAPI document."""

from uuid import UUID

from pydantic import AwareDatetime, BaseModel, JsonValue

from schemas.page import Page


class LoggedEvent(BaseModel):
    """An event as it is on Kafka; the AsyncAPI document has the `data` of each type."""

    specversion: str
    id: UUID
    source: str
    type: str
    subject: str
    time: AwareDatetime
    datacontenttype: str
    dataschema: str
    tenantid: UUID
    correlationid: UUID
    causationid: UUID | None
    aggregateversion: int
    traceparent: str | None
    data: dict[str, JsonValue]


class EventPage(Page[LoggedEvent]):
    """A page of the log; `has_more` says whether more was there already."""

    has_more: bool
