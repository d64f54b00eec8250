"""What every producer needs of the world."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class Clock(Protocol):
    """The time that the database has, and ids that carry it."""

    def now(self) -> datetime:
        """The database's time, as an aware UTC datetime."""

    def new_id(self) -> UUID:
        """A new UUIDv7 of that time."""


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


class Transactions(Protocol):
    """Transactions of the pipeline's role."""

    def __call__(self) -> "AbstractAsyncContextManager[AsyncConnection]":
        """Begin one; it commits when the block ends well."""


class TenantTransactions(Protocol):
    """Transactions of the API's role: each sees one tenant."""

    def __call__(self, tenant: UUID) -> "AbstractAsyncContextManager[AsyncConnection]":
        """Begin one."""
