"""uvicorn's HTTP with an end to the head of a request: it bounds neither the size nor the time of one by itself."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Past one read of the socket (256 KiB at most), which is parsed before anything can be said to it.
MOST_HEAD_BYTES = 64 << 10
MOST_HEADERS = 1000


class TooManyHeaders(Exception):
    """Told to the parser, which has the request answered with 400."""


class BoundedHttp(HttpToolsProtocol):
    """Refuses a head that is too large with 400, and cuts off a connection whose head does not arrive.

    A request whose head comes in one piece, as all but hostile ones do, costs two assignments more.
    """

    head_seconds = 20.0
    _in_head = False
    _head_bytes = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Wait for the first head."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(self.head_seconds, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._arrived()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._in_head = False
        self._arrived()
        if len(self.headers) > MOST_HEADERS:
            raise TooManyHeaders
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Some bytes; counted only while a head is incomplete."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self.send_400_response("The head of the request is too large.")
            elif self._deadline is None:
                self._deadline = self.loop.call_later(self.head_seconds, self.transport.close)

    def _arrived(self) -> None:
        self._head_bytes = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def bounded(seconds: float) -> type[BoundedHttp]:
    """The protocol for a uvicorn whose requests' heads arrive within `seconds`."""
    return type("BoundedHttp", (BoundedHttp,), {"head_seconds": seconds})
