"""The object store as a local directory: an object is there whole and on the disk, or not at
all.
"""

import asyncio
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from compose.storage.object_reading import checked_file, chunks
from compose.storage.private_files import close_to_others, flush, make_private
from consumers.ports import ObjectMissing
from producers.ports import Stored

log = logging.getLogger(__name__)
T = TypeVar("T")


class ObjectStoreAway(OSError):
    """The store does not answer, or its directory is not mounted: the same later can succeed."""


class LocalObjects:
    """Objects under one directory; keys are made by the server and use `/`.

    The folder `.incoming` is the mark of a store: without it the directory is an empty mount point
    or another disk, and no object counts as missing.
    """

    def __init__(self, root: Path, *, make: bool = True) -> None:
        self.root = self._root = root.resolve()
        self._incoming = self._root / ".incoming"
        self._was_away = False
        try:
            if make:
                make_private(self._incoming)
            close_to_others(self._root)
        except OSError as error:  # what needs no object still works
            log.warning("the object store cannot be opened: %s", error)

    async def check(self) -> None:
        """Raises ObjectStoreAway, and says so once; says once too that it is back."""
        try:
            await self._run(self._marked)
        except OSError as error:
            if not self._was_away:
                log.warning("the object store is away, what needs it waits: %s", error)
            self._was_away = True
            raise
        if self._was_away:
            log.warning("the object store is back")
        self._was_away = False

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> Stored:
        """Write an object durably; nothing is left of it when `chunks` raises."""
        path = self._path(key)
        digest, size = hashlib.sha256(), 0
        handle, name = await self._run(lambda: tempfile.mkstemp(dir=self._incoming))
        try:
            with os.fdopen(handle, "wb") as file:
                async for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    await self._run(partial(file.write, chunk))
                await self._run(partial(flush, file))
            await self._run(partial(self._publish, Path(name), path))
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
        return Stored(size, digest.hexdigest())

    async def put_file(self, key: str, path: Path) -> None:
        """Write a file durably."""

        def copy() -> None:
            handle, name = tempfile.mkstemp(dir=self._incoming)
            try:
                with os.fdopen(handle, "wb") as target, path.open("rb") as source:
                    shutil.copyfileobj(source, target, 1 << 20)
                    flush(target)
                self._publish(Path(name), self._path(key))
            except BaseException:
                with suppress(OSError):
                    Path(name).unlink()
                raise

        await self._run(copy)

    async def fetch(self, key: str, path: Path) -> None:
        """Copy an object to a file; raises ObjectMissing."""
        try:
            await self._run(lambda: shutil.copyfile(self._path(key), path))
        except FileNotFoundError:
            raise ObjectMissing(key) from None

    async def open(self, key: str, *, size_bytes: int, sha256: str) -> AsyncIterator[bytes]:
        """The chunks of an object of this size and SHA-256.

        Raises ObjectMissing and ObjectDamaged before the first.
        """
        try:
            return chunks(
                await self._run(lambda: checked_file(self._path(key), size_bytes, sha256))
            )
        except FileNotFoundError:
            raise ObjectMissing(key) from None

    async def read(self, key: str) -> bytes | None:
        """A small object's bytes, None when there is no such object."""
        try:
            return await self._run(self._path(key).read_bytes)
        except FileNotFoundError:
            return None

    async def delete(self, key: str) -> None:
        """Remove it; nothing happens where there is none."""
        path = self._path(key)

        def remove() -> None:
            path.unlink(missing_ok=True)
            self._marked()
            with suppress(OSError):  # the folders that it leaves empty go too
                for folder in path.parents:
                    if folder == self._root:
                        break
                    folder.rmdir()

        await self._run(remove)

    async def folders(self, pattern: str) -> list[str]:
        """Every folder whose path fits the pattern (`*` is one step)."""

        def found() -> list[str]:
            self._marked()
            return sorted(
                str(one.relative_to(self._root)) for one in self._root.glob(pattern) if one.is_dir()
            )

        return await self._run(found)

    async def names(self, folder: str) -> list[str]:
        """The objects in a folder, without its path."""

        def found() -> list[str]:
            with suppress(FileNotFoundError):
                return [one.name for one in self._path(folder).iterdir() if one.is_file()]
            self._marked()
            return []

        return await self._run(found)

    async def delete_folder(self, folder: str) -> None:
        """Remove a folder that is empty; another one stays."""
        with suppress(OSError):
            await asyncio.to_thread(self._path(folder).rmdir)

    async def free_bytes(self) -> int:
        """What is free on the disk."""
        return await self._run(lambda: shutil.disk_usage(self._root).free)

    async def walk(self, chunk: int) -> AsyncIterator[list[tuple[str, int, float]]]:
        """Every object: its key, its bytes, and when it was written (seconds since 1970)."""
        files = self._files()
        while found := await self._run(lambda: list(islice(files, chunk))):
            yield found

    async def leftovers(self, before: datetime) -> list[Path]:
        """Files of writes that were cut off, not touched since a moment."""

        def found() -> list[Path]:
            old = []
            for one in self._incoming.iterdir():
                with suppress(FileNotFoundError):  # published meanwhile
                    if one.stat().st_mtime < before.timestamp():
                        old.append(one)
            return old

        return await self._run(found)

    async def remove_leftovers(self, before: datetime) -> int:
        """Remove these; how many."""
        found = await self.leftovers(before)
        for one in found:
            await self._run(partial(one.unlink, missing_ok=True))
        return len(found)

    def _files(self) -> Iterator[tuple[str, int, float]]:
        for folder, _, names in os.walk(self._root / "tenants"):
            for name in names:
                with suppress(FileNotFoundError):
                    found = (path := Path(folder, name)).stat()
                    yield str(path.relative_to(self._root)), found.st_size, found.st_mtime

    async def _run(self, act: Callable[[], T]) -> T:
        """In a thread. Whatever failed, a store that is not there raises ObjectStoreAway."""

        def acted() -> T:
            try:
                return act()
            except OSError:
                self._marked()
                raise

        return await asyncio.to_thread(acted)

    def _marked(self) -> None:
        try:
            self._incoming.stat()
        except OSError as error:
            raise ObjectStoreAway(f"the object store is not there: {error}") from error

    def _publish(self, written: Path, path: Path) -> None:
        """Give a written file its name, and put the name on the disk."""
        self._marked()
        for chance in range(10):
            make_private(path.parent)
            try:
                written.replace(path)
                break
            except FileNotFoundError:  # somebody removed the folder, which was empty
                if chance == 9:
                    raise
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _path(self, key: str) -> Path:
        path = (self._root / key).resolve()
        if not path.is_relative_to(self._root) or path == self._root:
            raise ValueError(f"{key!r} is not a key of this store")
        return path
