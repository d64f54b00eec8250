"""A dead letter: the record as it came, and what went wrong with it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from uuid import UUID

from consumers.dead_letters.fingerprint import fingerprint
from schemas.bounds import cut
from schemas.event import Headers
from schemas.ids import derived
from schemas.log import LogEntry, pack_headers
from schemas.record import Record
from schemas.topics import DEAD_LETTERS, TOPIC_OF
from schemas.trace import given_trace_id

# What cannot be read has no tenant to trust: it belongs to the operator's.
OPERATOR = UUID("00000000-0000-7000-8000-000000000000")
MOST_ERROR_BYTES = 4000
# A record near the limit is kept whole in the row. Its copy goes without the value, and without key
# and headers when these alone are too large: one that does not fit on the topic would stop the
# relay for good.
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
    stack: str | None = None

    @property
    def id(self) -> UUID:
        """The same record of the same consumer gives the same id.

        Without an event its bytes are part of it: after a restore its offset is another record's.
        """
        record = self.record
        place = (self.consumer, record.topic, record.partition, record.offset)
        if self.event_id is not None:
            return derived(self.event_id, "dead-letter", *place)
        content = sha256(repr((record.key, record.value, record.headers)).encode()).hexdigest()
        return derived(OPERATOR, "dead-letter", *place, content)

    @property
    def event_type(self) -> str | None:
        """The type that the record's headers say, if it is one of ours."""
        said = self._said("ce_type")
        return said if said in TOPIC_OF else None

    @property
    def trace_id(self) -> str | None:
        """The trace that the record's headers carry."""
        return given_trace_id(self._said("traceparent"))

    @property
    def fingerprint(self) -> str:
        """Equal for errors that differ only in ids, numbers and quoted values."""
        return fingerprint(self.consumer, self.error_class, self.event_type, self.error)

    @property
    def ids(self) -> dict[str, str]:
        """What a log line has of it: no word of the record, for that may be anybody's."""
        ids = {
            "consumer": self.consumer,
            "dead_letter_id": str(self.id),
            "tenant_id": str(self.tenant),
            "event_id": self.event_id and str(self.event_id),
            "error_class": self.error_class,
            "fingerprint": self.fingerprint,
            "trace_id": self.trace_id,
        }
        return {name: value for name, value in ids.items() if value}

    @property
    def summary(self) -> str:
        """The same in one line."""
        about = (
            f"event {self.event_id}"
            if self.event_id
            else f"offset {self.record.offset} of {self.record.topic}"
        )
        return (
            f"{self.consumer}: dead letter {self.id}, {self.error_class} {self.fingerprint}, "
            f"{about}, tenant {self.tenant}"
        )

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
            DEAD_LETTERS.name,
            key,
            value,
            pack_headers(headers),
            self.id,
            "dead_letter",
            self.tenant,
            str(self.id),
            0,
            self.id,
            at,
            is_copy=True,
        )

    def _said(self, name: str) -> str:
        return next(
            (value.decode("latin-1") for known, value in self.record.headers if known == name), ""
        )

    def _added(self) -> Headers:
        record = self.record
        added = {
            "dead_letter_consumer": self.consumer,
            "dead_letter_class": self.error_class,
            "dead_letter_error": cut(self.error, 500, ""),
            "dead_letter_topic": record.topic,
            "dead_letter_partition": str(record.partition),
            "dead_letter_offset": str(record.offset),
            "dead_letter_attempts": str(self.attempts),
        }
        return tuple((name, value.encode(errors="replace")) for name, value in added.items())


def _size_bytes(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    # A header takes up to ten bytes more for its two lengths.
    return (
        len(key or b"")
        + len(value or b"")
        + sum(len(name.encode()) + len(one) + 10 for name, one in headers)
    )


def storable(text: str) -> str:
    """Text that Postgres takes: no NUL, no lone surrogate, bounded."""
    return cut(text.encode(errors="replace").decode().replace("\x00", "␀"), MOST_ERROR_BYTES, "")


@cache
def consumer_version() -> str:
    """Which Headrace it was that could not handle it."""
    return version("headrace")
