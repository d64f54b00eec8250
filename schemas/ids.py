"""Ids that carry time: UUIDv7 for what is new, UUIDv8 for what follows from something else.

Pure.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

_VARIANT = 0b10 << 62
_LOW_62 = (1 << 62) - 1
_MILLISECONDS_48 = (1 << 48) - 1


def uuid7_bytes(milliseconds: int, randomness: bytes) -> bytes:
    """The 16 bytes of a UUIDv7 (RFC 9562) at `milliseconds` since the epoch, from 10 random
    bytes.
    """
    noise = int.from_bytes(randomness, "big")
    high = (milliseconds & _MILLISECONDS_48) << 16 | 0x7000 | (noise >> 68 & 0x0FFF)
    return (high << 64 | _VARIANT | (noise & _LOW_62)).to_bytes(16, "big")


def uuid7(milliseconds: int, randomness: bytes) -> UUID:
    """The same as a UUID."""
    return UUID(bytes=uuid7_bytes(milliseconds, randomness))


def derived(cause: UUID, *parts: object) -> UUID:
    """A UUIDv8 with the milliseconds of `cause` and a hash of it and `parts`: the same step
    gives the same id.
    """
    text = "\x1f".join(str(part) for part in parts).encode()
    noise = int.from_bytes(hashlib.sha256(cause.bytes + text).digest()[:10], "big")
    high = milliseconds_of(cause) << 16 | 0x8000 | (noise >> 62 & 0x0FFF)
    return UUID(int=high << 64 | _VARIANT | (noise & _LOW_62))


def milliseconds_of(identifier: UUID) -> int:
    """The milliseconds since the epoch that a UUIDv7 or our UUIDv8 begins with."""
    return identifier.int >> 80


def first_at(milliseconds: int) -> UUID:
    """The lowest id of a millisecond: every id of an earlier one is below it."""
    return UUID(int=milliseconds << 80)


def time_of(identifier: UUID) -> datetime:
    """The moment, to the millisecond, that an id carries."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds_of(identifier))
