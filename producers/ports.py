"""What every producer needs of the world."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """What was written: its size and SHA-256 (hex)."""

    size_bytes: int
    sha256: str


class Objects(Protocol):
    """The object store, as far as uploads go."""

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], size_bytes: int | None = None
    ) -> Stored:
        """Write an object durably; nothing is left of it when `chunks` raises. `size_bytes` is the
        most to expect.

        Raises Refusal `quota_exceeded`, and OSError when the store is away or full.
        """

    async def delete(self, key: str) -> None:
        """Remove it; nothing happens where there is none."""
