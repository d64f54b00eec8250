"""Standard Webhooks v1: HMAC-SHA256 over `id.timestamp.body`. Source: the specification at standardwebhooks.com."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from producers.webhooks.verification.verdict import Forged, Genuine

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of the format
_ID = re.compile(r"[\x21-\x7e]{1,256}")
_SECONDS = re.compile(r"[0-9]{1,12}")
_MOST_SIGNATURES = 20


def verify(
    body: bytes, headers: Mapping[str, str], secrets: Sequence[str], *, now: datetime, tolerance_seconds: int
) -> Genuine | Forged:
    """Judge one request by its three `webhook-` headers."""
    message_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    shown = headers.get("webhook-signature", "")
    if not _ID.fullmatch(message_id):
        return Forged("webhook-id is missing or not printable ASCII")
    if not _SECONDS.fullmatch(stamp):
        return Forged("webhook-timestamp is not a time in seconds")
    if abs(now.timestamp() - int(stamp)) > tolerance_seconds:
        return Forged("webhook-timestamp is outside the tolerance")
    given = [_decode(part[3:]) for part in shown.split(" ")[:_MOST_SIGNATURES] if part.startswith("v1,")]
    content = f"{message_id}.{stamp}.".encode() + body
    for secret in secrets:
        key = secret_bytes(secret)
        if key is None:
            continue
        expected = hmac.digest(key, content, hashlib.sha256)
        if any(one is not None and hmac.compare_digest(one, expected) for one in given):
            return Genuine(message_id)
    return Forged("no signature matches")


def sign(body: bytes, secret: str, *, message_id: str, now: datetime) -> dict[str, str]:
    """The headers that a sender adds."""
    key = secret_bytes(secret)
    if key is None:
        raise ValueError("a Standard Webhooks secret is whsec_ and base64")
    stamp = str(int(now.timestamp()))
    digest = hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256)
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": signature}


def secret_from(randomness: bytes) -> str:
    """A new secret, from 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(randomness).decode()


def secret_bytes(secret: str) -> bytes | None:
    """The key in a secret, None when it is not one (24 to 64 bytes, as the specification has it)."""
    key = _decode(secret.removeprefix(SECRET_PREFIX))
    return key if key is not None and 24 <= len(key) <= 64 else None


def _decode(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
