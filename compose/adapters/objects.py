"""The object store as a local directory: an object is there whole and on the disk, or not at all."""

import asyncio
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from consumers.ports import ObjectMissing
from producers.ports import Stored


class LocalObjects:
    """Objects under one directory; keys are made by the server and use `/`."""

    def __init__(self, root: Path) -> None:
        self.root = self._root = root.resolve()
        self._incoming = self._root / ".incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> Stored:
        """Write an object durably; nothing is left of it when `chunks` raises."""
        path = self._path(key)
        digest, size = hashlib.sha256(), 0
        handle, name = tempfile.mkstemp(dir=self._incoming)
        try:
            with os.fdopen(handle, "wb") as file:
                async for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    await asyncio.to_thread(file.write, chunk)
                await asyncio.to_thread(_flush, file)
            await asyncio.to_thread(_publish, Path(name), path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return Stored(size, digest.hexdigest())

    async def put_file(self, key: str, path: Path) -> None:
        """Write a file durably."""

        def copy() -> None:
            handle, name = tempfile.mkstemp(dir=self._incoming)
            try:
                with os.fdopen(handle, "wb") as target, path.open("rb") as source:
                    shutil.copyfileobj(source, target, 1 << 20)
                    _flush(target)
                _publish(Path(name), self._path(key))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise

        await asyncio.to_thread(copy)

    async def fetch(self, key: str, path: Path) -> None:
        """Copy an object to a file; raises ObjectMissing."""
        try:
            await asyncio.to_thread(shutil.copyfile, self._path(key), path)
        except FileNotFoundError:
            raise ObjectMissing(key) from None

    async def read(self, key: str) -> bytes | None:
        """A small object's bytes, None when there is no such object."""
        try:
            return await asyncio.to_thread(self._path(key).read_bytes)
        except FileNotFoundError:
            return None

    async def delete(self, key: str) -> None:
        """Remove it; nothing happens where there is none."""
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def folders(self, pattern: str) -> list[str]:
        """Every folder whose path fits the pattern (`*` is one step)."""

        def found() -> list[str]:
            return sorted(str(one.relative_to(self._root)) for one in self._root.glob(pattern) if one.is_dir())

        return await asyncio.to_thread(found)

    async def names(self, folder: str) -> list[str]:
        """The objects in a folder, without its path."""

        def found() -> list[str]:
            with suppress(FileNotFoundError):
                return [one.name for one in self._path(folder).iterdir() if one.is_file()]
            return []

        return await asyncio.to_thread(found)

    async def delete_folder(self, folder: str) -> None:
        """Remove a folder that is empty; another one stays."""
        with suppress(OSError):
            await asyncio.to_thread(self._path(folder).rmdir)

    def _path(self, key: str) -> Path:
        path = (self._root / key).resolve()
        if not path.is_relative_to(self._root) or path == self._root:
            raise ValueError(f"{key!r} is not a key of this store")
        return path


def open_objects(url: str) -> LocalObjects:
    """The store that a setting names: `file:///absolute/directory`, or `file:relative`."""
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc:
        raise ValueError(f"HEADRACE_OBJECT_STORE is {url!r}; this version stores in a directory: file:///…")
    return LocalObjects(Path(unquote(parts.path)))


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _publish(written: Path, path: Path) -> None:
    """Give a written file its name, and put the name on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
