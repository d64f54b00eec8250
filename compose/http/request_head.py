"""uvicorn's HTTP with an end to what a client can hold: heads, unfinished bodies, unread
answers, connections.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from compose.http.open_connections import OpenConnections

# Past one read of the socket (256 KiB at most), which is parsed before anything can be said to it.
MOST_HEAD_BYTES = 64 << 10
MOST_HEADERS = 1000
MOST_PIPELINED = 100
"""Requests that wait for the answer to one before them; each holds a kilobyte or two."""
LINGER_SECONDS = 2.0
"""For the rest of a body whose request is answered: a connection closed at once would lose the
answer.
"""
UNREAD_SECONDS = 30.0
"""In which a client takes some of an answer."""
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 1\r\nconnection: "
    b"close\r\n\r\n"
)


class TooManyHeaders(Exception):
    """Raised into the parser, which has the request answered with 400."""


class TooManyPipelined(Exception):
    """Raised into the parser, which has the connection closed."""


class BoundedHttp(HttpToolsProtocol):
    """Refuses a head that is too large with 400, and closes the connection of a client that does
    not finish its request.

    A request that arrives in one read, as all but hostile ones do, costs a few assignments more.
    """

    head_seconds = 20.0
    open: OpenConnections
    unfinished_bytes = 0
    _in_head = False
    _in_body = False
    _head_bytes = 0
    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Wait for the first head."""
        super().connection_made(transport)
        self._wait(self.head_seconds)
        self.open.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._arrived()
        self._read_on()
        self.open.closed(self)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Note that a request's head has begun."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._in_head = False
        self._in_body = True
        self._arrived()
        if len(self.headers) > MOST_HEADERS:
            raise TooManyHeaders
        if len(self.pipeline) >= MOST_PIPELINED:
            raise TooManyPipelined
        super().on_headers_complete()
        if self.pipeline:
            self.open.waits(self)

    def on_message_complete(self) -> None:
        """The request is whole.

        The application, which begins after this, need not time its body.
        """
        self._in_body = False
        self.scope["state"]["body_is_complete"] = True
        if self.pipeline:
            self.open.pipelined(self)
        else:
            self.open.completed(self)
        if self._deadline is not None:
            self._arrived()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is on its way.

        A connection whose request is not whole by then is closed soon after.
        """
        others = bool(self.pipeline)
        super().on_response_complete()
        if others:
            if self._in_body and not self.pipeline:
                self.open.waits(self)
            return
        self.open.waits(self)
        if self._in_body:
            self._wait(LINGER_SECONDS)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP.

        Where earlier requests wait for answers, it would be taken for one of those.
        """
        if self.pipeline:
            self.transport.abort()
        else:
            super().send_400_response(msg)

    def data_received(self, data: bytes) -> None:
        """Some bytes; counted only while a request is incomplete."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self.send_400_response("The head of the request is too large.")
            elif self._deadline is None:
                self._wait(self.head_seconds)
        elif self._in_body:
            if not self.cycle.response_complete:
                self.open.received(self, len(data))
        elif self._deadline is None and self.open.is_waiting(self):
            self._wait(
                self.head_seconds
            )  # empty lines between two requests, which end uvicorn's own patience

    def pause_writing(self) -> None:
        """The client does not read its answer."""
        super().pause_writing()
        self.open.waits(self)
        self._unread = self.loop.call_later(UNREAD_SECONDS, self._judge, self._unread_bytes())

    def resume_writing(self) -> None:
        """The client has read on."""
        super().resume_writing()
        self._read_on()
        unanswered = self.cycle is not None and not self.cycle.response_complete
        if unanswered and not self._in_body and not self.pipeline:
            self.open.completed(self)

    def body_goes_to(self) -> str | None:
        """What the application said of the body of the request in hand."""
        found: str | None = None if self.scope is None else self.scope["state"].get("body_goes_to")
        return found

    def is_a_tenants(self) -> bool:
        """Whether admission has found whose request is in hand."""
        return self.cycle is not None and "principal" in self.cycle.scope["state"]

    def drop(self) -> None:
        """End the connection; a request that nobody answers yet is answered 503."""
        cycle = self.cycle
        if not self.pipeline and cycle is not None and not cycle.response_started:
            self.transport.write(BUSY)
            if not self._unread_bytes():
                self.transport.close()
                return
        self.transport.abort()

    def _wait(self, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self.transport.close)

    def _arrived(self) -> None:
        self._head_bytes = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _judge(self, before: int) -> None:
        left = self._unread_bytes()
        if left >= before:
            self.transport.abort()
        else:
            self._unread = self.loop.call_later(UNREAD_SECONDS, self._judge, left)

    def _unread_bytes(self) -> int:
        size: int = self.transport.get_write_buffer_size()
        return size

    def _read_on(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


def bounded(head_seconds: float, connections: OpenConnections) -> type[BoundedHttp]:
    """The protocol for a uvicorn whose requests' heads arrive within `head_seconds`, on so many
    connections.
    """
    return type("BoundedHttp", (BoundedHttp,), {"head_seconds": head_seconds, "open": connections})
