"""One row of the log: a record exactly as Kafka gets it, beside the columns that can be asked
for.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from schemas.bounds import MOST_EVENT_BYTES
from schemas.event import Event, Headers
from schemas.topics import TOPIC_OF


class LogEntry(NamedTuple):
    """A record to append; `is_copy` marks what is in nobody's history (the copy of a dead letter).

    A tuple: acceptance makes thousands a second, each at a quarter of what a frozen data class
    costs.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: bytes
    id: UUID
    type: str
    tenant: UUID
    aggregate: str
    version: int
    correlation: UUID
    time: datetime
    is_copy: bool = False

    @property
    def size_bytes(self) -> int:
        """What it will take on the wire, about."""
        return len(self.value or b"") + len(self.headers) + len(self.key or b"")


class EventTooLarge(Exception):
    """An event does not fit into a record: what a tenant has put into it is too much."""


def entry_of(event: Event) -> LogEntry:
    """The row of an event.

    Raises EventTooLarge, since the database would refuse the whole statement.
    """
    value = event.encode()
    if len(value) > MOST_EVENT_BYTES:
        message = f"{event.type} of {event.subject} takes {len(value)} bytes"
        raise EventTooLarge(f"{message}, {MOST_EVENT_BYTES} are allowed")
    return LogEntry(
        TOPIC_OF[event.type],
        event.key,
        value,
        pack_headers(event.headers()),
        event.id,
        event.type,
        event.tenantid,
        event.subject,
        event.aggregateversion,
        event.correlationid,
        event.time,
    )


def pack_headers(headers: Iterable[tuple[str, bytes]]) -> bytes:
    """Record headers as one JSON text; Latin-1 keeps every byte."""
    return json.dumps([[name, value.decode("latin-1")] for name, value in headers]).encode()


def unpack_headers(packed: bytes) -> Headers:
    """The headers that `pack_headers` was given."""
    return tuple((name, value.encode("latin-1")) for name, value in json.loads(packed))
