"""Whose request is read at all: under /v1 the key comes first, then a body within its bounds.

FastAPI reads a body before it asks any dependency; so the bounds stand before FastAPI.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from compose.failures import is_transient
from compose.http.api_rates import TakeOne
from producers.access.principal import Principal
from producers.webhooks.body import read
from producers.webhooks.depth import deeper_than
from producers.webhooks.endpoint_responses import (
    ClientLeft,
    DeliveryRefused,
    Receive,
    Send,
    respond,
    unavailable,
)
from producers.webhooks.verification.headers import gathered
from schemas.errors import UNEXPECTED, Refusal
from schemas.trace import trace_id

log = logging.getLogger(__name__)

PATH = "/v1/"
# A mebibyte of them takes half a second to parse and to check; commas are counted, those within
# texts too.
MOST_VALUES = 30_000
WITH_BODIES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
T = TypeVar("T")
Whose = Callable[[str], Awaitable[Principal]]
"""Whose key an `Authorization` header shows; raises Refusal `unauthorized`."""

Scope = MutableMapping[str, Any]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RequestBounds:
    """What one request under /v1 may be; `uploads` are the (method, path) whose bodies are written
    away as they come.

    An upload brings `upload_bytes_per_second` on average, and pauses for `body_seconds` at most.
    """

    max_bytes: int
    max_depth: int
    body_seconds: float
    upload_bytes_per_second: float
    at_once: int
    uploads: Collection[tuple[str, str]] = ()


class Admission:
    """Lets in requests under /v1 whose key is known, each tenant's `at_once` at a time.

    All other paths as they are.
    """

    def __init__(self, app: Asgi, whose: Whose, bounds: RequestBounds, take_one: TakeOne) -> None:
        self._app = app
        self._take_one = take_one
        self._whose = whose
        self._bounds = bounds
        self._in_hand: Counter[UUID] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not scope["path"].startswith(PATH):
            return await self._app(scope, receive, send)
        headers = gathered(scope["headers"])
        principal = await self._answering(scope, send, self._principal(headers))
        if principal is None:
            return None
        self._in_hand[principal.tenant] += 1
        try:
            admitted = await self._answering(
                scope, send, self._admitted(scope, receive, headers, principal)
            )
            if admitted is not None:
                await self._app(scope, admitted, send)
        finally:
            self._in_hand[principal.tenant] -= 1
            if not self._in_hand[principal.tenant]:
                del self._in_hand[principal.tenant]

    async def _principal(self, headers: dict[str, str]) -> Principal:
        return await self._whose(headers.get("authorization", ""))

    async def _admitted(
        self, scope: Scope, receive: Receive, headers: dict[str, str], principal: Principal
    ) -> Receive:
        """What the application reads from; raises Refused or ClientLeft."""
        bounds = self._bounds
        left = self._take_one(principal)
        retry = [one for one in left.headers() if one[0] == b"retry-after"]
        scope["state"]["rate_headers"] = [one for one in left.headers() if one not in retry]
        if retry:
            message = "Too many requests of this tenant; wait as Retry-After says."
            raise DeliveryRefused(429, "rate_limited", message, headers=tuple(retry))
        if self._in_hand[principal.tenant] > bounds.at_once:
            message = (
                f"Too many requests at once: {bounds.at_once} of a tenant are answered at a time."
            )
            raise DeliveryRefused(429, "rate_limited", message, headers=((b"retry-after", b"1"),))
        scope["state"]["principal"] = principal
        if scope["method"] not in WITH_BODIES:
            return receive
        if (scope["method"], scope["path"]) in bounds.uploads:
            scope["state"]["body_goes_to"] = "file"
            return _Upload(receive, bounds)
        body = await read(receive, headers, bounds.max_bytes, bounds.body_seconds)
        _check_shape(body, bounds.max_depth)
        return _Whole(body, receive)

    async def _answering(self, scope: Scope, send: Send, step: Awaitable[T]) -> T | None:
        """What a step before the application gives; None when it is answered in the
        application's place.
        """
        trace = trace_id(scope["state"]["traceparent"])
        try:
            return await step
        except ClientLeft:
            return None
        except DeliveryRefused as refused:
            answer = refused
        except Refusal as refusal:
            answer = DeliveryRefused(401, refusal.code, refusal.message)
        except Exception as error:  # noqa: BLE001 - the application, which would answer it, is not asked
            answer = _broken(scope, error, trace)
        await respond(send, answer.answer(trace))
        return None


def _check_shape(body: bytes, max_depth: int) -> None:
    """Raise Refused for JSON that would hold the event loop while it is parsed and checked, or
    break its parser.
    """
    if body.count(b",") >= MOST_VALUES:
        message = f"JSON has {MOST_VALUES} values at most."
    elif deeper_than(body, max_depth):
        message = f"JSON is nested {max_depth} deep at most."
    else:
        return
    raise DeliveryRefused(
        422, "invalid_request", f"body: {message}", errors=[{"where": "body", "message": message}]
    )


def _broken(scope: Scope, error: Exception, trace: str) -> DeliveryRefused:
    where = f"{scope['method']} {scope['path']}"
    if is_transient(error):
        log.warning("%s: %s", where, error, extra={"trace_id": trace})
        return unavailable("The database does not answer. Try again in a moment.")
    log.error("%s failed unexpectedly, trace %s", where, trace, exc_info=error)
    return DeliveryRefused(500, "internal", UNEXPECTED)


class _Whole:
    """A body that is here, then what the client does."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> MutableMapping[str, Any]:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


class _Upload:
    """A body as it comes, for as long as it comes fast enough."""

    def __init__(self, receive: Receive, bounds: RequestBounds) -> None:
        self._receive = receive
        self._bounds = bounds
        self._loop = asyncio.get_running_loop()
        self._waited = 0.0
        self._bytes = 0
        self._complete = False

    async def __call__(self) -> MutableMapping[str, Any]:
        if self._complete:
            return await self._receive()
        pause = self._bounds.body_seconds
        allowed = pause + self._bytes / self._bounds.upload_bytes_per_second - self._waited
        began = self._loop.time()
        try:
            async with asyncio.timeout(min(pause, allowed)):
                message = await self._receive()
        except TimeoutError:
            raise Refusal(
                "body_too_slow", "The upload came too slowly, or paused for too long."
            ) from None
        # Only the client's time counts, not that of the disk.
        self._waited += self._loop.time() - began
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message
