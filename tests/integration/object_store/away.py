"""A volume that is not mounted: its mount point is there, and empty."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from compose.storage.local import LocalObjects
from compose.storage.object_store_url import open_objects


@dataclass(frozen=True)
class Store:
    """The directory of an object store."""

    root: Path

    @property
    def objects(self) -> LocalObjects:
        """The store as processes open it."""
        return open_objects(self.root.as_uri())

    def unmount(self) -> None:
        """Leave an empty directory where the objects were."""
        self.root.rename(self.root.with_suffix(".away"))
        self.root.mkdir()

    def mount(self) -> None:
        """Bring the objects back; fails where somebody wrote to the empty directory."""
        self.root.rmdir()
        self.root.with_suffix(".away").rename(self.root)

    async def put(self, key: str, content: bytes) -> None:
        """Store an object."""

        async def chunks() -> AsyncIterator[bytes]:
            yield content

        await self.objects.put(key, chunks())
