"""Slack: `X-Slack-Signature: v0=…` over `v0:time:body`.

An event's id is in the body, so it is signed.
"""
# ruff: noqa: ARG001 - every scheme is handed the same, whatever it signs

from collections.abc import Mapping, Sequence
from datetime import datetime

from producers.webhooks.verification.headers import plain
from producers.webhooks.verification.identity import id_in, member, parsed
from producers.webhooks.verification.signature import signature, signed_by_one
from producers.webhooks.verification.timestamp import signed_in
from producers.webhooks.verification.verdict import Content, Forged, Genuine, as_sent

SIGNATURE = "x-slack-signature"
TIMESTAMP = "x-slack-request-timestamp"
PREFIX = "v0="
KEPT_HEADERS = (TIMESTAMP, "x-slack-retry-num", "x-slack-retry-reason")
LONGEST_CHALLENGE = 1024


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Sequence[str],
    *,
    now: datetime,
    tolerance_seconds: int,
    content: Content = as_sent,
) -> Genuine | Forged:
    """Judge one request. Slash commands and buttons come as forms and have no event's id."""
    timed = signed_in(headers, TIMESTAMP, now=now, tolerance_seconds=tolerance_seconds)
    if isinstance(timed, Forged):
        return timed
    stamp, at = timed
    shown = plain(headers, SIGNATURE)
    if shown is None or not shown.startswith(PREFIX):
        return Forged(f"{SIGNATURE} is missing, repeated or not {PREFIX}…")
    if not signed_by_one([shown.removeprefix(PREFIX)], secrets, _signed(stamp, body)):
        return Forged("no signature matches")
    text = content(body)
    document = parsed(text)
    if member(document, "type") == "url_verification":
        return Genuine(None, signed_at=at, challenge=_challenge(member(document, "challenge")))
    return Genuine(id_in(document, text, _event_id), signed_at=at)


def sign(body: bytes, secret: str, *, message_id: str, now: datetime) -> dict[str, str]:
    """The headers that Slack adds; the id is the body's own `event_id`."""
    stamp = str(int(now.timestamp()))
    return {TIMESTAMP: stamp, SIGNATURE: PREFIX + signature(secret, _signed(stamp, body))}


def _event_id(document: object) -> object:
    return member(document, "event_id")


def _signed(stamp: str, body: bytes) -> bytes:
    return f"v0:{stamp}:".encode() + body


def _challenge(value: object) -> str | None:
    fits = (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_CHALLENGE
        and value.isascii()
        and value.isprintable()
    )
    return value if isinstance(value, str) and fits else None
