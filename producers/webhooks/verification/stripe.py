"""Stripe: `Stripe-Signature: t=…,v1=…` over `t.body`.

The event's id is in the body, so it is signed.
"""
# ruff: noqa: ARG001 - every scheme is handed the same, whatever it signs

from collections.abc import Mapping, Sequence
from datetime import datetime

from producers.webhooks.verification.headers import plain
from producers.webhooks.verification.identity import id_in, member, parsed
from producers.webhooks.verification.signature import (
    signature,
    signed_by_one,
    text_secret_error,
    text_secret_warning,
)
from producers.webhooks.verification.timestamp import signed_at
from producers.webhooks.verification.verdict import Content, Forged, Genuine, as_sent

SIGNATURE = "stripe-signature"
SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of the format
KEPT_HEADERS = ()


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Sequence[str],
    *,
    now: datetime,
    tolerance_seconds: int,
    content: Content = as_sent,
) -> Genuine | Forged:
    """Judge one request; while a secret is rolled, Stripe shows one signature for each."""
    shown = plain(headers, SIGNATURE)
    parts = None if shown is None else _parts(shown)
    if parts is None:
        return Forged(f"{SIGNATURE} is missing, repeated or not t=…,v1=…")
    stamp, signatures = parts
    at = signed_at(stamp, f"t of {SIGNATURE}", now=now, tolerance_seconds=tolerance_seconds)
    if isinstance(at, Forged):
        return at
    if not signed_by_one(signatures, secrets, f"{stamp}.".encode() + body):
        return Forged("no signature matches")
    text = content(body)
    return Genuine(id_in(parsed(text), text, _id), signed_at=at)


def sign(body: bytes, secret: str, *, message_id: str, now: datetime) -> dict[str, str]:
    """The header that Stripe adds; the id is the body's own `id`."""
    stamp = str(int(now.timestamp()))
    return {SIGNATURE: f"t={stamp},v1={signature(secret, f'{stamp}.'.encode() + body)}"}


def secret_error(secret: str) -> str | None:
    """What is wrong with an endpoint's signing secret.

    All of its text is the key, the prefix too.
    """
    if not secret.startswith(SECRET_PREFIX):
        return (
            "A Stripe signing secret begins with whsec_; the endpoint's page in Stripe's "
            "dashboard shows it."
        )
    # The prefix is everybody's: it is no part of what must be long enough.
    return text_secret_error(secret.removeprefix(SECRET_PREFIX))


def secret_warning(secret: str) -> str | None:
    """What to know about a signing secret that is accepted: its prefix is no chance."""
    return text_secret_warning(secret.removeprefix(SECRET_PREFIX))


def _id(document: object) -> object:
    return member(document, "id")


def _parts(shown: str) -> tuple[str, list[str]] | None:
    """The time and the v1 signatures. Other versions are left aside: v0 is for test events, and
    weaker.
    """
    stamps: list[str] = []
    signatures: list[str] = []
    for part in shown.split(","):
        name, equals, value = part.partition("=")
        if not equals:
            return None
        if name == "t":
            stamps.append(value)
        elif name == "v1":
            signatures.append(value)
    return (stamps[0], signatures) if len(stamps) == 1 else None
