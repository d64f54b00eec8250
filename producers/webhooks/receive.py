"""One delivery becomes one acceptance: pure, from verified bytes to the event and its identity."""

import base64
import hashlib
from datetime import datetime
from typing import Literal
from uuid import UUID

from producers.outbox.accept import Acceptance, Claim
from producers.webhooks.sources.source import KnownSource
from schemas.event import first
from schemas.log import entry_of
from schemas.webhooks import WebhookReceived

# A record stays under 900 KiB; a body that would not fit stays with its request.
INLINE_BYTES = 768 << 10
IDENTITY_WINDOW_SECONDS = 600


def acceptance(
    source: KnownSource,
    body: bytes,
    content_type: str,
    external_id: str | None,
    *,
    request_id: UUID,
    event_id: UUID,
    now: datetime,
    traceparent: str | None,
) -> Acceptance:
    """What the door stores for a genuine delivery."""
    digest = hashlib.sha256(body).digest()

    def event(encoding: Literal["text", "base64", "reference"], text: str | None) -> WebhookReceived:
        return WebhookReceived(
            request_id=request_id, source_id=source.id, source_name=source.name, scheme=source.scheme,
            external_id=external_id, content_type=content_type, size_bytes=len(body), sha256=digest.hex(),
            body_encoding=encoding, body=text,
        )  # fmt: skip

    def entry(data: WebhookReceived) -> Acceptance:
        envelope = first(
            data, id=event_id, source=f"/headrace/hooks/{source.id}", subject=str(source.id), tenant=source.tenant,
            at=now, traceparent=traceparent,
        )  # fmt: skip
        return Acceptance(entry_of(envelope), claim)

    claim = Claim(source.id, identity(external_id, digest, now), digest, request_id, external_id, content_type, body)
    if len(body) > INLINE_BYTES:
        return entry(event("reference", None))
    try:
        inline = entry(event("text", body.decode()))
    except UnicodeDecodeError:
        inline = entry(event("base64", base64.b64encode(body).decode()))
    return inline if inline.entry.size_bytes <= INLINE_BYTES else entry(event("reference", None))


def identity(external_id: str | None, body_hash: bytes, now: datetime) -> bytes:
    """What makes a delivery the same as another: the sender's id, else the body within ten minutes."""
    if external_id is not None:
        return hashlib.sha256(b"id\0" + external_id.encode()).digest()
    window = int(now.timestamp()) // IDENTITY_WINDOW_SECONDS
    return hashlib.sha256(b"body\0" + str(window).encode() + b"\0" + body_hash).digest()
