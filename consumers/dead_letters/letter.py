"""A dead letter: the record as it came, and what went wrong with it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from schemas.event import Headers
from schemas.ids import derived
from schemas.log import LogEntry, pack_headers
from schemas.record import Record
from schemas.topics import DEAD_LETTERS

# What cannot be read has no tenant to trust: it belongs to the operator's.
OPERATOR = UUID("00000000-0000-7000-8000-000000000000")
MOST_ERROR_CHARACTERS = 4000
# A record near the limit is kept whole in the row. Its copy goes without the value, and without key and headers when
# these alone are too large: one that does not fit on the topic would stop the relay for good.
MOST_COPY_BYTES = 800 << 10


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that a consumer could not handle."""

    record: Record
    consumer: str
    tenant: UUID
    event_id: UUID | None
    error_class: str
    error: str
    attempts: int

    @property
    def id(self) -> UUID:
        """The same record of the same consumer gives the same id."""
        place = (self.consumer, self.record.topic, self.record.partition, self.record.offset)
        return derived(self.event_id or OPERATOR, "dead-letter", *place)

    @property
    def fingerprint(self) -> str:
        """Equal for errors that differ only in ids and numbers."""
        shape = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|\d+", "#", self.error.split("\n", 1)[0].lower())
        return hashlib.sha256(f"{self.consumer}|{self.error_class}|{shape}".encode(errors="replace")).hexdigest()[:16]

    def headers(self) -> Headers:
        """The original headers and, added, what failed."""
        return (*self.record.headers, *self._added())

    def copy(self, at: datetime) -> LogEntry:
        """The published copy; marked so, and in no tenant's log."""
        key, value, headers = self.record.key, self.record.value, self.headers()
        if _size_bytes(key, value, headers) > MOST_COPY_BYTES:
            value = None
        if _size_bytes(key, value, headers) > MOST_COPY_BYTES:
            key, headers = None, self._added()
        return LogEntry(
            DEAD_LETTERS.name, key, value, pack_headers(headers), self.id, "dead_letter", self.tenant, str(self.id), 0,
            self.id, at, is_copy=True,
        )  # fmt: skip

    def _added(self) -> Headers:
        record = self.record
        added = {
            "dead_letter_consumer": self.consumer,
            "dead_letter_class": self.error_class,
            "dead_letter_error": self.error[:500],
            "dead_letter_topic": record.topic,
            "dead_letter_partition": str(record.partition),
            "dead_letter_offset": str(record.offset),
            "dead_letter_attempts": str(self.attempts),
        }
        return tuple((name, value.encode(errors="replace")) for name, value in added.items())


def _size_bytes(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    # A header takes up to ten bytes more for its two lengths.
    return len(key or b"") + len(value or b"") + sum(len(name.encode()) + len(one) + 10 for name, one in headers)


def storable(text: str) -> str:
    """Text that Postgres takes: no NUL, no lone surrogate, bounded."""
    return text.encode(errors="replace").decode().replace("\x00", "␀")[:MOST_ERROR_CHARACTERS]
