"""Shopify: `X-Shopify-Hmac-Sha256` over the body, in base64.

Neither a time nor the delivery's id is signed.
"""
# ruff: noqa: ARG001 - every scheme is handed the same, whatever it signs

from collections.abc import Mapping, Sequence
from datetime import datetime

from producers.webhooks.verification.headers import plain, repeated
from producers.webhooks.verification.identity import external_id
from producers.webhooks.verification.signature import base64_text, signature, signed_by_one
from producers.webhooks.verification.verdict import Content, Forged, Genuine, as_sent

SIGNATURE = "x-shopify-hmac-sha256"
DELIVERY = "x-shopify-webhook-id"
KEPT_HEADERS = (
    DELIVERY,
    "x-shopify-event-id",
    "x-shopify-topic",
    "x-shopify-shop-domain",
    "x-shopify-api-version",
    "x-shopify-triggered-at",
)


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Sequence[str],
    *,
    now: datetime,
    tolerance_seconds: int,
    content: Content = as_sent,
) -> Genuine | Forged:
    """Judge one request; the secret is the app's client secret."""
    shown = plain(headers, SIGNATURE)
    if shown is None:
        return Forged(f"{SIGNATURE} is missing, repeated or not printable ASCII")
    if repeated(headers, DELIVERY):
        return Forged(f"{DELIVERY} is repeated")
    if not signed_by_one([shown], secrets, body, written=base64_text):
        return Forged("no signature matches")
    return Genuine(external_id(headers.get(DELIVERY)), signed_id=False)


def sign(body: bytes, secret: str, *, message_id: str, now: datetime) -> dict[str, str]:
    """The headers that Shopify adds."""
    return {SIGNATURE: signature(secret, body, written=base64_text), DELIVERY: message_id}
