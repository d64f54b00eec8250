"""GitHub: `X-Hub-Signature-256` over the body. Neither a time nor the delivery's id is signed."""
# ruff: noqa: ARG001 - every scheme is handed the same, whatever it signs

from collections.abc import Mapping, Sequence
from datetime import datetime

from producers.webhooks.verification.headers import plain, repeated
from producers.webhooks.verification.identity import external_id
from producers.webhooks.verification.signature import signature, signed_by_one
from producers.webhooks.verification.verdict import Content, Forged, Genuine, as_sent

SIGNATURE = "x-hub-signature-256"
DELIVERY = "x-github-delivery"
PREFIX = "sha256="
KEPT_HEADERS = (
    DELIVERY,
    "x-github-event",
    "x-github-hook-id",
    "x-github-hook-installation-target-id",
    "x-github-hook-installation-target-type",
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
    """Judge one request. The older SHA-1 signature is not looked at."""
    shown = plain(headers, SIGNATURE)
    if shown is None or not shown.startswith(PREFIX):
        return Forged(f"{SIGNATURE} is missing, repeated or not {PREFIX}…")
    if repeated(headers, DELIVERY):
        return Forged(f"{DELIVERY} is repeated")
    if not signed_by_one([shown.removeprefix(PREFIX)], secrets, body):
        return Forged("no signature matches")
    return Genuine(external_id(headers.get(DELIVERY)), signed_id=False)


def sign(body: bytes, secret: str, *, message_id: str, now: datetime) -> dict[str, str]:
    """The headers that GitHub adds."""
    return {SIGNATURE: PREFIX + signature(secret, body), DELIVERY: message_id}
