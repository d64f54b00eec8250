"""`POST /hooks/{source_id}`: raw ASGI, ahead of FastAPI and its middleware, since every microsecond counts here."""

import json
import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import UUID

from producers.outbox.accept import Accept
from producers.outbox.ports import NotStorable, Unavailable
from producers.ports import Clock
from producers.webhooks.receive import acceptance
from producers.webhooks.sources.cache import SourceCache
from producers.webhooks.verification.schemes import SCHEMES
from producers.webhooks.verification.verdict import Forged
from schemas.trace import trace_id, traceparent_of

log = logging.getLogger(__name__)

PATH = "/hooks/"
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
UNAUTHORIZED = ("unauthorized", "This source does not exist or the signature is not from it.")


class _TooLarge(Exception):
    pass


class _ClientLeft(Exception):
    pass


class Door:
    """Verify, accept durably, answer: 202 once it is stored, never before."""

    def __init__(
        self, sources: SourceCache, accept: Accept, clock: Clock, *, max_bytes: int, tolerance_seconds: int
    ) -> None:
        self._sources = sources
        self._accept = accept
        self._clock = clock
        self._max_bytes = max_bytes
        self._tolerance_seconds = tolerance_seconds

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request. Unknown source and bad signature get the same 401."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        trace = traceparent_of(headers.get("traceparent"), os.urandom(24))
        try:
            status, answer = await self._answer(scope, receive, headers, trace)
        except _ClientLeft:
            return
        except Unavailable as error:
            log.warning("not accepted, the sender must try again: %s", error, extra={"trace_id": trace_id(trace)})
            status, answer = 503, _problem("unavailable", "Not stored. Send it again in a moment.", trace)
        except NotStorable as error:
            log.error("content that Postgres refuses: %s", error, extra={"trace_id": trace_id(trace)})
            status, answer = 400, _problem("not_storable", "This content cannot be stored.", trace)
        await _respond(send, status, answer, trace)

    async def _answer(
        self, scope: Message, receive: Receive, headers: dict[str, str], trace: str
    ) -> tuple[int, dict[str, Any]]:
        if scope["method"] != "POST":
            return 405, _problem("method_not_allowed", "Webhooks are sent with POST.", trace)
        content_type = headers.get("content-type", "").split(";")[0].strip().lower()
        if content_type != "application/json" and not content_type.endswith("+json"):
            return 415, _problem("unsupported_media_type", "Send application/json.", trace)
        try:
            body = await _read(receive, headers, self._max_bytes)
        except _TooLarge:
            message = f"A webhook body is at most {self._max_bytes} bytes."
            return 413, _problem("body_too_large", message, trace, max_bytes=self._max_bytes)
        source_id = _uuid(scope["path"].removeprefix(PATH))
        source = None if source_id is None else await self._sources.find(source_id)
        if source is None:
            return 401, _problem(*UNAUTHORIZED, trace)
        now = self._clock.now()
        verdict = SCHEMES[source.scheme](
            body, headers, source.secrets, now=now, tolerance_seconds=self._tolerance_seconds
        )
        if isinstance(verdict, Forged):
            log.info("refused a delivery to source %s: %s", source.id, verdict.reason)
            return 401, _problem(*UNAUTHORIZED, trace)
        accepted = await self._accept(
            acceptance(
                source,
                body,
                content_type,
                verdict.external_id,
                request_id=self._clock.new_id(),
                event_id=self._clock.new_id(),
                now=now,
                traceparent=trace,
            )
        )
        answer = {
            "request_id": str(accepted.request_id),
            "event_id": str(accepted.event_id),
            "duplicate": accepted.duplicate,
        }
        if not accepted.same_body:
            answer["body_mismatch"] = True
        return 202, answer


async def _read(receive: Receive, headers: dict[str, str], max_bytes: int) -> bytes:
    declared = headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > max_bytes:
        raise _TooLarge
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _ClientLeft
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise _TooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def _problem(code: str, message: str, trace: str, **details: Any) -> dict[str, Any]:
    return {"code": code, "message": message, "trace_id": trace_id(trace), "details": details}


async def _respond(send: Send, status: int, answer: dict[str, Any], trace: str) -> None:
    body = json.dumps(answer, separators=(",", ":")).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", trace_id(trace).encode()),
    ]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    if status == 405:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
