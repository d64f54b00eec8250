"""The open connections of one API process: so many at most, and so many bytes of requests that
are not complete.
"""

from itertools import chain
from typing import Protocol


class Connection(Protocol):
    """One connection, as the bounds see it."""

    unfinished_bytes: int
    """What has come of a request that is not complete."""

    def body_goes_to(self) -> str | None:
        """`file` while a tenant's upload is written away, `nobody` while a body is discarded,
        else None.
        """

    def is_a_tenants(self) -> bool:
        """Whether the request in hand has shown a tenant's key."""

    def drop(self) -> None:
        """Close the connection at once."""


class OpenConnections:
    """Bounds what clients hold open; past a bound the connection that waits longest for its client
    is dropped.

    A connection waits from its opening, or from an answer, until a request is complete; and from
    its next request on where that comes before the answer to one. A genuine request is complete
    within milliseconds, so a flood of requests that never are drops its own. An upload is known to
    be a tenant's, and is never dropped: its own rate and the tenant's share bound it.

    Those that wait have an eighth of the room. While they are fewer, the request that is in hand
    longest and has shown no tenant's key goes before them: under a flood of whole requests nobody
    else would be connected for long enough to send one.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._open: set[Connection] = set()
        self._waiting: dict[Connection, None] = {}
        self._in_hand: dict[Connection, None] = {}
        self._bytes = 0

    @property
    def unfinished_bytes(self) -> int:
        """Bytes of all requests that are not complete."""
        return self._bytes

    def opened(self, one: Connection) -> None:
        """Add a connection. One too many drops another; itself where all others are uploads."""
        self._open.add(one)
        self._waiting[one] = None
        if len(self._open) > self._most:
            self._drop(self._one_too_many(one))

    def closed(self, one: Connection) -> None:
        """Forget a connection that has ended."""
        self._open.discard(one)
        self._waiting.pop(one, None)
        self._in_hand.pop(one, None)
        self._forget_bytes(one)

    def completed(self, one: Connection) -> None:
        """Note that its only request is complete: it waits for us."""
        self._waiting.pop(one, None)
        if one in self._open:
            self._in_hand[one] = None
        if one.unfinished_bytes:
            self._forget_bytes(one)

    def pipelined(self, one: Connection) -> None:
        """Note that a request is complete before an earlier one is answered: it keeps its place."""
        self.waits(one)
        self._forget_bytes(one)

    def waits(self, one: Connection) -> None:
        """Note that it waits for its client."""
        if one in self._open:
            self._in_hand.pop(one, None)
            self._waiting[one] = None

    def is_waiting(self, one: Connection) -> bool:
        """Whether it waits for its client."""
        return one in self._waiting

    def received(self, one: Connection, size: int) -> None:
        """Count bytes of a body of which more is to come."""
        if one.body_goes_to() is not None:
            self._forget_bytes(one)
            return
        if not one.unfinished_bytes and self._waiting.pop(one, self) is None:
            self._waiting[one] = None  # it was idle until now, and waits from here on
        one.unfinished_bytes += size
        self._bytes += size
        while self._bytes > self._most_bytes:
            longest = next((other for other in self._waiting if other.unfinished_bytes), one)
            self._drop(longest)

    def _one_too_many(self, newest: Connection) -> Connection:
        others = (one for one in self._waiting if one is not newest)
        waiting = (one for one in others if one.body_goes_to() != "file")
        strangers = (one for one in self._in_hand if not one.is_a_tenants())
        enough_wait = len(self._waiting) > self._most // 8
        kinds = (waiting, strangers) if enough_wait else (strangers, waiting)
        return next(chain(*kinds, self._in_hand, (newest,)))

    def _drop(self, one: Connection) -> None:
        self.closed(one)
        one.drop()

    def _forget_bytes(self, one: Connection) -> None:
        self._bytes -= one.unfinished_bytes
        one.unfinished_bytes = 0
