"""An object as a stream of chunks, once it is known to be what was stored."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from consumers.ports import ObjectDamaged

CHUNK_BYTES = 1 << 18


def checked_file(path: Path, size_bytes: int, sha256: str) -> BinaryIO:
    """The file, opened at its beginning; raises ObjectDamaged when it has another size or hash."""
    file = path.open("rb")
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    if (file.tell(), digest) != (size_bytes, sha256):
        file.close()
        raise ObjectDamaged(path.name)
    file.seek(0)
    return file


async def chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    """What is in a file, which is closed at the end."""
    with file:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
