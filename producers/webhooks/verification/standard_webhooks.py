"""Standard Webhooks v1 (HMAC-SHA256) and v1a (ed25519) over `id.timestamp.body`, after
standardwebhooks.com.

A source's secret says which: `whsec_` is shared, `whpk_` is the sender's public key. Svix says
`svix-` for `webhook-`.
"""
# ruff: noqa: ARG001 - every scheme is handed the same, whatever it signs

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from producers.webhooks.verification.headers import plain
from producers.webhooks.verification.signature import MOST_SIGNATURES, base64_text, shown_among
from producers.webhooks.verification.timestamp import signed_in
from producers.webhooks.verification.verdict import Content, Forged, Genuine, as_sent

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of the format
PRIVATE_PREFIX = "whsk_"
PUBLIC_PREFIX = "whpk_"
KEPT_HEADERS = ("webhook-id", "webhook-timestamp", "svix-id", "svix-timestamp")
_WEBHOOK = ("webhook-id", "webhook-timestamp", "webhook-signature")
_SVIX = ("svix-id", "svix-timestamp", "svix-signature")
# A sender with a new key signs with both. Each is tried over the whole body, unlike a digest, which
# is made once.
_MOST_TRIED = 3
_SIGNATURE_LENGTH = 88  # the base64 of 64 bytes
# Printable and without a full stop: one in the id could move a part of the body into the time.
_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,256}")


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Sequence[str],
    *,
    now: datetime,
    tolerance_seconds: int,
    content: Content = as_sent,
) -> Genuine | Forged:
    """Judge one request by its three `webhook-` headers."""
    named = _SVIX if "svix-id" in headers and "webhook-id" not in headers else _WEBHOOK
    message_id = plain(headers, named[0])
    if message_id is None or not _ID.fullmatch(message_id):
        return Forged(
            f"{named[0]} is missing, repeated, or not printable ASCII without a full stop"
        )
    timed = signed_in(headers, named[1], now=now, tolerance_seconds=tolerance_seconds)
    if isinstance(timed, Forged):
        return timed
    shown = plain(headers, named[2])
    if shown is None:
        return Forged(f"{named[2]} is missing, repeated or not printable ASCII")
    stamp, at = timed
    parts = shown.split(" ")[:MOST_SIGNATURES]
    signed = f"{message_id}.{stamp}.".encode() + body
    shared = [part[3:] for part in parts if part.startswith("v1,")]
    for secret in secrets:
        if secret.startswith(PUBLIC_PREFIX):
            genuine = _signed_by_owner(
                [part[4:] for part in parts if part.startswith("v1a,")], secret, signed
            )
        else:
            key = secret_bytes(secret)
            genuine = key is not None and shown_among(shared, _v1(key, signed))
        if genuine:
            return Genuine(message_id, signed_at=at)
    return Forged("no signature matches")


def sign(body: bytes, secret: str, *, message_id: str, now: datetime) -> dict[str, str]:
    """The headers that a sender adds, with a shared secret (`whsec_`) or a private key
    (`whsk_`).
    """
    stamp = str(int(now.timestamp()))
    content = f"{message_id}.{stamp}.".encode() + body
    if secret.startswith(PRIVATE_PREFIX):
        signature = "v1a," + base64_text(_private_key(secret).sign(content))
    else:
        key = secret_bytes(secret)
        if key is None:
            raise ValueError("a Standard Webhooks secret is whsec_ and base64")
        signature = "v1," + _v1(key, content)
    return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": signature}


def secret_from(randomness: bytes) -> str:
    """A new secret, from 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(randomness).decode()


def key_pair_from(randomness: bytes) -> tuple[str, str]:
    """A sender's private and public key (`whsk_`, `whpk_`), from 32 random bytes."""
    public = Ed25519PrivateKey.from_private_bytes(randomness).public_key().public_bytes_raw()
    return PRIVATE_PREFIX + base64_text(randomness), PUBLIC_PREFIX + base64_text(public)


def secret_bytes(secret: str) -> bytes | None:
    """The key in a secret, None when it is not one (24 to 64 bytes, as the specification has
    it).
    """
    key = _decode(secret.removeprefix(SECRET_PREFIX))
    return key if key is not None and 24 <= len(key) <= 64 else None


def secret_error(secret: str) -> str | None:
    """What is wrong with a source's secret, None when it is a shared one or a public key."""
    if secret.startswith(PRIVATE_PREFIX):
        return (
            "This is a private key. It stays with the sender; give its public key, whpk_ and "
            "base64."
        )
    if secret.startswith(PUBLIC_PREFIX):
        return (
            None
            if _public_key(secret) is not None
            else "A public key is whpk_ and the base64 of 32 bytes."
        )
    if secret_bytes(secret) is None:
        return "A Standard Webhooks secret is whsec_ and the base64 of 24 to 64 bytes."
    return None


def _v1(key: bytes, content: bytes) -> str:
    return base64_text(hmac.digest(key, content, hashlib.sha256))


def _signed_by_owner(shown: Sequence[str], secret: str, content: bytes) -> bool:
    key = _public_key(secret)
    well_formed = [one for one in shown if len(one) == _SIGNATURE_LENGTH][:_MOST_TRIED]
    return key is not None and any(_signed(key, one, content) for one in well_formed)


def _signed(key: Ed25519PublicKey, shown: str, content: bytes) -> bool:
    signature = _decode(shown)
    # Base64 has spare bits: only the one spelling that a sender writes counts.
    if signature is None or not shown_among([shown], base64_text(signature)):
        return False
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _public_key(secret: str) -> Ed25519PublicKey | None:
    raw = _decode(secret.removeprefix(PUBLIC_PREFIX))
    try:
        return None if raw is None else Ed25519PublicKey.from_public_bytes(raw)
    except (ValueError, UnsupportedAlgorithm):
        return None


def _private_key(secret: str) -> Ed25519PrivateKey:
    """The key in `whsk_` and base64: the seed of 32 bytes, with the public key after it in some
    implementations.
    """
    raw = _decode(secret.removeprefix(PRIVATE_PREFIX))
    if raw is None or len(raw) not in {32, 64}:
        raise ValueError(
            "a Standard Webhooks private key is whsk_ and the base64 of 32 or 64 bytes"
        )
    return Ed25519PrivateKey.from_private_bytes(raw[:32])


def _decode(encoded: str) -> bytes | None:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
