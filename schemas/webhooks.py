"""Webhooks: what arrived at a source's URL."""

from typing import Literal
from uuid import UUID

from schemas.payload import Payload

# What `content_type` says of the two kinds of body that a mapping reads.
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


class WebhookReceived(Payload, type="webhook.received"):
    """One verified delivery, accepted once.

    A body too large for a record stays with the request (`reference`).
    """

    request_id: UUID
    source_id: UUID
    source_name: str
    scheme: str
    external_id: str | None
    content_type: str
    size_bytes: int
    sha256: str
    body_encoding: Literal["text", "base64", "reference"]
    body: str | None
