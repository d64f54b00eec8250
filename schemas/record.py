"""What the log hands over, as bytes: no decoding, no judgement, nothing of a client library."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic; `value` is None for a tombstone, header values are whatever bytes
    were sent.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int


def event_id_of(headers: Iterable[tuple[str, bytes | None]]) -> UUID | None:
    """The event id that a record's headers carry, whatever else is wrong with it."""
    for name, value in headers:
        if name == "ce_id":
            try:
                return UUID((value or b"").decode())
            except ValueError:  # not UTF-8 either
                return None
    return None


@dataclass(frozen=True, slots=True)
class Span:
    """What a delivery covers of one partition: `start` was sought or follows the last delivery;
    `next` is last + 1.

    `last_id` is the id of its last record, None where that carries none that can be read.
    """

    topic: str
    partition: int
    start: int
    next: int
    last_id: UUID | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PollBatch:
    """One poll: records in order within a partition, and one span per partition, sorted by topic
    and partition.
    """

    records: tuple[Record, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class PausedPartition:
    """One partition that waits: the offset that comes next in it, and for how many seconds."""

    topic: str
    partition: int
    next: int
    seconds: float


@dataclass(frozen=True, slots=True)
class PartlyPaused:
    """What became of a delivery some of whose partitions must wait; the rest of it is committed."""

    holds: tuple[PausedPartition, ...]
