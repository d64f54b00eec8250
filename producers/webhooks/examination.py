"""What takes longer for a longer body: its signature, its content coding, its id and its depth.

Pure.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from producers.content_encoding import TAKEN, coding_of, inflated
from producers.webhooks.depth import deeper_than
from producers.webhooks.endpoint_responses import DeliveryRefused
from producers.webhooks.limits.limit import SourceLimits
from producers.webhooks.sources.source import KnownSource
from producers.webhooks.verification.verdict import Forged, Genuine
from schemas.errors import Refusal

ENCODING = "content-encoding"
STATUS = {
    "unsupported_content_encoding": 415,
    "invalid_content_encoding": 400,
    "body_too_large": 413,
}


class Examined(NamedTuple):
    """The verdict, and of a genuine body its content: as it was sent, or inflated.

    `refused` says why the content of a genuine body cannot be had.
    """

    verdict: Forged | Genuine
    content: bytes
    coding: str | None = None
    too_deep: bool = False
    refused: DeliveryRefused | None = None


def examine(
    source: KnownSource,
    body: bytes,
    headers: Mapping[str, str],
    own: SourceLimits,
    now: datetime,
    tolerance_seconds: int,
) -> Examined:
    """Judge the bytes as they were sent, and read what they hold."""
    content = _Content(headers.get(ENCODING), own)
    try:
        verdict = source.verify(
            body,
            headers,
            source.secrets,
            now=now,
            tolerance_seconds=tolerance_seconds,
            content=content,
        )
        if isinstance(verdict, Forged):
            return Examined(verdict, body)
        text = content(body)
    except Refusal as refusal:
        # Of the content, so the signature holds: a stranger learns nothing, and makes nothing
        # inflate.
        return Examined(Genuine(None), body, refused=_refused(refusal))
    except _TooDeep:
        return Examined(Genuine(None), body, too_deep=True)
    return Examined(verdict, text, content.coding)


class _TooDeep(Exception):
    """The content nests deeper than its source may: nobody reads it, for its id or anything
    else.
    """


class _Content:
    """Inflates a body when it is asked for it first, and judges its depth."""

    __slots__ = ("_content", "_header", "_own", "coding")

    def __init__(self, header: str | None, own: SourceLimits) -> None:
        self._header = header
        self._own = own
        self._content: bytes | None = None
        self.coding: str | None = None

    def __call__(self, body: bytes) -> bytes:
        if self._content is None:
            if self._header is not None:  # hardly any delivery has one
                self.coding = coding_of(self._header)
            if self.coding is not None:
                body = inflated(body, self.coding, self._own.max_bytes)
            if deeper_than(body, self._own.max_depth):
                raise _TooDeep
            self._content = body
        return self._content


def _refused(refusal: Refusal) -> DeliveryRefused:
    status = STATUS[refusal.code]
    headers = ((b"accept-encoding", TAKEN.encode()),) if status == 415 else ()
    return DeliveryRefused(
        status,
        refusal.code,
        refusal.message,
        reason=refusal.message,
        headers=headers,
        **refusal.details,
    )
