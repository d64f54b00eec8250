"""The responses of the webhook endpoint, in the one shape of every error."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

from pydantic_core import to_json

from producers.outbox.accept import Accepted
from producers.webhooks.rates import RateLimitState

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ClientLeft(Exception):
    """Nobody waits for an answer."""


class Answer(NamedTuple):
    """A response to the sender; `reason` is kept for the source's owner and never sent."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    content_type: bytes = b"application/json"


class DeliveryRefused(Exception):
    """A delivery that is not accepted."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        reason: str | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.reason = status, code, message, reason
        self.headers, self.details = headers, details

    def answer(self, trace: str) -> Answer:
        """In the one shape of every error."""
        problem = {
            "code": self.code,
            "message": self.message,
            "trace_id": trace,
            "details": self.details,
        }
        return Answer(self.status, to_json(problem), self.headers)


def unauthorized(reason: str | None = None) -> DeliveryRefused:
    """The same for an unknown source and for a bad signature."""
    message = "This source does not exist or the signature is not from it."
    return DeliveryRefused(401, "unauthorized", message, reason=reason)


def unavailable(message: str) -> DeliveryRefused:
    """Not stored; the sender is to try again."""
    return DeliveryRefused(503, "unavailable", message, headers=((b"retry-after", b"1"),))


def accepted_answer(accepted: Accepted, rate_limit: RateLimitState) -> Answer:
    """202: it is durably stored."""
    duplicate = "true" if accepted.duplicate else "false"
    body = f'{{"request_id":"{accepted.request_id}","event_id":"{accepted.event_id}","duplicate":{duplicate}'
    body += "}" if accepted.same_body else ',"body_mismatch":true}'
    return Answer(202, body.encode(), tuple(rate_limit.headers()))


async def respond(send: Send, answer: Answer, request_id: str | None = None) -> None:
    """Send one answer; without a `request_id` where somebody else adds it."""
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", str(len(answer.body)).encode()),
        *answer.headers,
    ]
    if request_id is not None:
        headers.append((b"x-request-id", request_id.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
