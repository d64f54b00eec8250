"""One delivery becomes one acceptance: pure, from verified bytes to the event and its identity."""

import base64
import hashlib
from datetime import datetime
from uuid import UUID

from producers.outbox.accept import Acceptance, Claim
from producers.webhooks.envelope import HttpRequest, entry
from producers.webhooks.sources.source import KnownSource
from producers.webhooks.verification.verdict import Genuine
from schemas.log import LogEntry

# A record stays under 900 KiB; a body that would not fit goes to the object store before it is
# accepted.
INLINE_BYTES = 768 << 10


def acceptance(
    source: KnownSource,
    body: bytes,
    content_type: str,
    verdict: Genuine,
    *,
    request_id: UUID,
    event_id: UUID,
    now: datetime,
    traceparent: str | None,
    kept_headers: str = "{}",
    window_seconds: int = 600,
) -> Acceptance:
    """What is stored for a genuine delivery.

    With `claim.body_key` set, the body is to be stored there first.
    """
    digest = hashlib.sha256(body).digest()
    hexed = digest.hex()
    encoding, text = "text", None
    if len(body) <= INLINE_BYTES:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            encoding, text = "base64", base64.b64encode(body).decode()
    inline = text is not None

    def log_entry() -> LogEntry:
        return entry(
            source,
            HttpRequest(
                request_id,
                event_id,
                verdict.external_id,
                content_type,
                len(body),
                hexed,
                encoding if inline else "reference",
                text if inline else None,
                now,
                traceparent,
            ),
        )

    record = log_entry()
    if record.size_bytes > INLINE_BYTES:
        inline = False
        record = log_entry()
    by_body = verdict.external_id is None and verdict.signed_at is None
    claim = Claim(
        source.id,
        identity(verdict, digest),
        digest,
        request_id,
        verdict.external_id,
        content_type,
        kept_headers,
        len(body),
        None if inline else body_key(source.tenant, now, request_id),
        unsigned_id=verdict.external_id is not None and not verdict.signed_id,
        counts_again_seconds=window_seconds if by_body else 0,
        former_keys=_by_windows(digest, now, window_seconds) if by_body else (),
    )
    return Acceptance(record, claim)


def body_key(tenant: UUID, day: datetime, request_id: UUID) -> str:
    """Where a body too large for a record is kept: by day, so that a day's can be dropped
    together.
    """
    return f"tenants/{tenant}/requests/{day:%Y-%m-%d}/{request_id}"


def identity(verdict: Genuine, body_hash: bytes) -> bytes:
    """What makes a delivery the same as another: the sender's id, else the signed time with the
    body, else the body.

    The body alone makes it the same within a time only, which is measured from the delivery that
    counted last.
    """
    if verdict.external_id is not None:
        return hashlib.sha256(b"id\0" + verdict.external_id.encode()).digest()
    if verdict.signed_at is not None:
        moment = str(int(verdict.signed_at.timestamp()))
        return hashlib.sha256(b"at\0" + moment.encode() + b"\0" + body_hash).digest()
    return hashlib.sha256(b"body\0" + body_hash).digest()


def _by_windows(body_hash: bytes, now: datetime, window_seconds: int) -> tuple[bytes, bytes]:
    """The identity that a release before gave to the body: by windows of the clock, this one and
    the one before.
    """
    window = int(now.timestamp()) // window_seconds
    current, before = (
        hashlib.sha256(b"body\0" + str(one).encode() + b"\0" + body_hash).digest()
        for one in (window, window - 1)
    )
    return current, before
