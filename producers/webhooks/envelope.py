"""The record of `webhook.received`, written straight to bytes: those of the model, at a third of
its cost.

A test holds the two against each other; the model in `schemas` is the truth.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from pydantic_core import to_json

from producers.webhooks.sources.source import KnownSource
from schemas.event import CONTENT_TYPE, schema_of
from schemas.log import LogEntry
from schemas.topics import WEBHOOKS
from schemas.webhooks import WebhookReceived

TYPE = WebhookReceived.TYPE
SCHEMA = schema_of(WebhookReceived)


class HttpRequest(NamedTuple):
    """What one delivery says of itself."""

    request_id: UUID
    event_id: UUID
    external_id: str | None
    content_type: str
    size_bytes: int
    sha256: str
    body_encoding: str
    body: str | None
    at: datetime
    traceparent: str | None


def entry(source: KnownSource, one: HttpRequest) -> LogEntry:
    """The row of the log."""
    tenant, source_id, event_id = str(source.tenant), str(source.id), str(one.event_id)
    origin = f"/headrace/hooks/{source_id}"
    time = one.at.isoformat()
    stamp = time[:-6] + "Z" if time.endswith("+00:00") else time
    trace = f'"{one.traceparent}"' if one.traceparent else "null"
    head = (
        f'{{"specversion":"1.0","id":"{event_id}","source":"{origin}","type":"{TYPE}","subject":"{source_id}",'
        f'"time":"{stamp}","datacontenttype":"application/json","dataschema":"{SCHEMA}","tenantid":"{tenant}",'
        f'"correlationid":"{event_id}","causationid":null,"aggregateversion":0,"traceparent":{trace},'
        f'"data":{{"request_id":"{one.request_id}","source_id":"{source_id}","source_name":"{source.name}",'
        f'"scheme":"{source.scheme}","external_id":'
    )
    tail = f',"size_bytes":{one.size_bytes},"sha256":"{one.sha256}","body_encoding":"{one.body_encoding}","body":'
    value = b"".join(
        (
            head.encode(),
            to_json(one.external_id),
            b',"content_type":',
            to_json(one.content_type),
            tail.encode(),
            to_json(one.body),
            b"}}",
        )
    )
    headers = (
        f'[["content-type", "{CONTENT_TYPE}"], ["ce_specversion", "1.0"], ["ce_id", "{event_id}"], '
        f'["ce_type", "{TYPE}"], ["ce_source", "{origin}"], ["ce_time", "{stamp}"], '
        f'["ce_tenantid", "{tenant}"]'
    )
    headers += f', ["traceparent", "{one.traceparent}"]]' if one.traceparent else "]"
    key = f"{tenant}:{source_id}".encode()
    return LogEntry(
        WEBHOOKS.name,
        key,
        value,
        headers.encode(),
        one.event_id,
        TYPE,
        source.tenant,
        source_id,
        0,
        one.event_id,
        one.at,
    )
