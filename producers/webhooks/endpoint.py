"""`POST /hooks/{source_id}`: raw ASGI, ahead of FastAPI and its middleware, since every
microsecond counts here.
"""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from uuid import UUID

from pydantic_core import to_json

from producers.outbox.accept import Accept, Accepted
from producers.outbox.ports import NotStorable, Unavailable
from producers.ports import Objects
from producers.webhooks.backpressure import Capacity
from producers.webhooks.body import read, too_large
from producers.webhooks.body_storage import accept_with_body
from producers.webhooks.endpoint_responses import (
    Answer,
    ClientLeft,
    DeliveryRefused,
    Message,
    Receive,
    Send,
    accepted_answer,
    respond,
    unauthorized,
    unavailable,
)
from producers.webhooks.examination import ENCODING, Examined, examine
from producers.webhooks.large_bodies import AT_ONCE_BYTES, LargeBodies
from producers.webhooks.normalize import acceptance
from producers.webhooks.rates import RateLimitState
from producers.webhooks.rejections import Rejection, Rejections
from producers.webhooks.sources.cache import SourceCache
from producers.webhooks.sources.source import KnownSource
from producers.webhooks.verification.headers import gathered
from producers.webhooks.verification.schemes import BY_NAME
from producers.webhooks.verification.verdict import Forged, Genuine
from producers.webhooks.webhook_limits import WebhookLimits
from schemas.ports import Clock, Failpoint, no_failpoint
from schemas.trace import trace_id, traceparent_of

log = logging.getLogger(__name__)

PATH = "/hooks/"

RecordOutcome = Callable[[str, float], None]
"""Called with the outcome of each webhook, and its duration in seconds."""


def unrecorded(_outcome: str, _seconds: float) -> None:
    """Record nothing, where nobody measures."""


@dataclass(frozen=True)
class WebhookEndpoint:
    """Verify, accept durably, answer: 202 once it is stored, never before."""

    sources: SourceCache
    accept: Accept
    objects: Objects
    clock: Clock
    limits: WebhookLimits
    capacity: Capacity
    rejections: Rejections
    large_bodies: LargeBodies
    failpoint: Failpoint = no_failpoint
    record_outcome: RecordOutcome = unrecorded

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        began = time.perf_counter()
        outcome = "broken"
        headers = gathered(scope["headers"])
        trace = traceparent_of(headers.get("traceparent"), os.urandom(24))
        request_id = trace_id(trace)
        try:
            answer, outcome = await self._answer(scope, receive, headers, trace)
        except ClientLeft:
            outcome = "left"
            return
        except DeliveryRefused as refused:
            answer, outcome = refused.answer(request_id), refused.code
        except Unavailable as error:
            log.warning(
                "not accepted, the sender must try again: %s", error, extra={"trace_id": request_id}
            )
            answer, outcome = (
                unavailable("Not stored. Send it again in a moment.").answer(request_id),
                "unavailable",
            )
        except NotStorable as error:
            log.error("content that Postgres refuses: %s", error, extra={"trace_id": request_id})
            outcome = "not_storable"
            answer = DeliveryRefused(400, outcome, "This content cannot be stored.").answer(
                request_id
            )
        finally:
            self.record_outcome(outcome, time.perf_counter() - began)
        await respond(send, answer, request_id)

    async def _answer(
        self, scope: Message, receive: Receive, headers: dict[str, str], trace: str
    ) -> tuple[Answer, str]:
        if scope["method"] != "POST":
            raise DeliveryRefused(
                405,
                "method_not_allowed",
                "Webhooks are sent with POST.",
                headers=((b"allow", b"POST"),),
            )
        source_id = _uuid(scope["path"].removeprefix(PATH))
        source, body = await self._read(source_id, scope, receive, headers)
        content_type = headers.get("content-type", "").split(";")[0].strip().lower()
        delivery = (
            source,
            body,
            headers,
            source.limits or self.limits.default,
            self.clock.now(),
            self.limits.tolerance_seconds,
        )
        at_once = len(body) <= AT_ONCE_BYTES and ENCODING not in headers
        found = (
            examine(*delivery)
            if at_once
            else await self.large_bodies.run(source.id, partial(examine, *delivery))
        )
        try:
            verdict, rate_limit = self._judge(source, body, content_type, found)
        except DeliveryRefused as refused:
            self._note(source, refused, len(body), content_type)
            raise
        if verdict.challenge is not None:
            return Answer(200, verdict.challenge.encode(), content_type=b"text/plain"), "challenge"
        accepted = await self._store(source, found, content_type, headers, verdict, trace)
        return accepted_answer(
            accepted, rate_limit
        ), "duplicate" if accepted.duplicate else "accepted"

    async def _read(
        self, source_id: UUID | None, scope: Message, receive: Receive, headers: dict[str, str]
    ) -> tuple[KnownSource, bytes]:
        """The source and the body.

        To a source that does not exist it comes as to any other, and is not kept.
        """
        began = time.perf_counter()
        source = None if source_id is None else await self.sources.find(source_id)
        state = scope.setdefault("state", {})
        if source is None:
            state["body_goes_to"] = "nobody"
        body = await read(
            receive,
            headers,
            self.limits.max_bytes,
            self.limits.body_seconds,
            keep=source is not None,
            is_complete="body_is_complete" in state,
        )
        if source is not None and time.perf_counter() - began > 1:
            # The body came slowly; the source may be changed or deleted meanwhile.
            source = await self.sources.find(source.id)
        if source is None:
            raise unauthorized()
        return source, body

    def _judge(
        self, source: KnownSource, body: bytes, content_type: str, examined: Examined
    ) -> tuple[Genuine, RateLimitState]:
        """Genuine, within every limit, or DeliveryRefused."""
        verdict = examined.verdict
        if isinstance(verdict, Forged):
            self.rejections.log(source, verdict.reason)
            raise unauthorized(verdict.reason)
        # After the signature: before it, the answer would say that the source exists.
        if not BY_NAME[source.scheme].accepts(content_type):  # type: ignore[index]
            raise DeliveryRefused(
                415,
                "unsupported_media_type",
                "Send application/json.",
                reason=f"sent {content_type[:100]!r}",
            )
        if source.paused:
            raise DeliveryRefused(
                403, "source_paused", "This source is paused.", reason="the source is paused"
            )
        own = source.limits or self.limits.default
        if len(body) > own.max_bytes:
            raise too_large(own.max_bytes)
        if examined.refused is not None:
            raise examined.refused
        if examined.too_deep:
            message = f"JSON is nested {own.max_depth} deep at most."
            raise DeliveryRefused(400, "too_deep", message, reason=message, max_depth=own.max_depth)
        if self.capacity.risk is not None:
            log.warning("a webhook is refused: %s", self.capacity.risk)
            raise unavailable("Webhooks cannot be stored at the moment. Send it again later.")
        return verdict, self.limits.take(source, own)

    async def _store(
        self,
        source: KnownSource,
        examined: Examined,
        content_type: str,
        headers: dict[str, str],
        verdict: Genuine,
        trace: str,
    ) -> Accepted:
        body = examined.content
        kept = {name: headers[name] for name in source.kept_headers if name in headers}
        if examined.coding is not None:
            kept[ENCODING] = examined.coding
        one = acceptance(
            source,
            body,
            content_type,
            verdict,
            request_id=self.clock.new_id(),
            event_id=self.clock.new_id(),
            now=self.clock.now(),
            traceparent=trace,
            kept_headers=to_json(kept).decode() if kept else "{}",
            window_seconds=self.limits.identity_window_seconds,
        )
        return await accept_with_body(one, body, self.accept, self.objects, self.failpoint)

    def _note(
        self, source: KnownSource, refused: DeliveryRefused, size_bytes: int, content_type: str
    ) -> None:
        if refused.reason is not None:
            now = self.clock.now()
            reason = f"{refused.status} {refused.code}: {refused.reason}"
            self.rejections.note(
                Rejection(source, self.clock.new_id(), reason, size_bytes, content_type, now)
            )


@lru_cache(maxsize=10_000)
def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 36 else None
    except ValueError:
        return None
