"""What retention needs of the world and of others."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID


class Needed(Protocol):
    """Whoever can still take up an event again, and then reads its body."""

    async def __call__(self, events: Sequence[UUID]) -> set[UUID]:
        """Those of `events` that are still needed."""


class Folders(Protocol):
    """The object store, as far as whole days go."""

    async def folders(self, pattern: str) -> Sequence[str]:
        """Every folder whose path fits the pattern (`*` is one step)."""

    async def names(self, folder: str) -> Sequence[str]:
        """The objects in a folder, without its path."""

    async def delete(self, key: str) -> None:
        """Remove an object; nothing happens where there is none."""

    async def delete_folder(self, folder: str) -> None:
        """Remove a folder that is empty; another one stays."""
