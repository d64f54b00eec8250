"""A request's body, cut off when it is too large or too slow.

The server ends a connection whose request is answered before it is complete, when the answer has
had time to arrive.
"""

import asyncio
from collections.abc import Mapping

from producers.webhooks.endpoint_responses import ClientLeft, DeliveryRefused, Receive


async def read(
    receive: Receive,
    headers: Mapping[str, str],
    max_bytes: int,
    seconds: float,
    *,
    keep: bool = True,
    is_complete: bool = False,
) -> bytes:
    """The whole body, or b"" once it has come where it is not to be kept.

    `is_complete` says that all of it has arrived, so that nobody need be timed. Raises Refused
    (413, 408) or ClientLeft.
    """
    declared = headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > max_bytes:
        raise too_large(max_bytes)
    chunks: list[bytes] = []
    size, more = 0, True
    # The first part too: headers may come with no body after them.
    patience = None if is_complete else Patience(seconds)
    try:
        while more and size <= max_bytes:
            chunk, more = await _next(receive)
            size += len(chunk)
            if keep:
                chunks.append(chunk)
    except asyncio.CancelledError:
        if patience is None or not patience.is_at_end():
            raise
        message = f"The body did not arrive within {seconds:g} s."
        raise DeliveryRefused(408, "body_too_slow", message) from None
    finally:
        if patience is not None:
            patience.end()
    if size > max_bytes:
        raise too_large(max_bytes)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class Patience:
    """Cancels the task that made it after some seconds: what `asyncio.timeout` does, at a third
    of its cost.
    """

    __slots__ = ("_late", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._late = False
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def is_at_end(self) -> bool:
        """Whether the cancellation was its own, and nobody else's too."""
        return self._late and self._task.uncancel() == 0

    def end(self) -> None:
        """Stop the timer: the body is complete."""
        self._timer.cancel()

    def _expire(self) -> None:
        self._late = True
        self._task.cancel()


async def _next(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientLeft
    return bytes(message.get("body", b"")), bool(message.get("more_body", False))


def too_large(max_bytes: int) -> DeliveryRefused:
    """Over a limit: the endpoint's own while it is read, or the tenant's after the signature."""
    message = f"A body is at most {max_bytes} bytes."
    return DeliveryRefused(413, "body_too_large", message, reason=message, max_bytes=max_bytes)
