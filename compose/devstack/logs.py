"""Logs of supervised processes, kept short while they are written to."""

import asyncio
import os
from pathlib import Path

LOOK_SECONDS = 1.0


async def keep_short(log: Path, limit_bytes: int) -> None:
    """Shorten a log whenever it has grown past the limit, until cancelled."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await asyncio.to_thread(shorten, log, limit_bytes)


def shorten(log: Path, limit_bytes: int) -> None:
    """Empty a log past the limit; its last lines become `<name>.log.1`, which is overwritten.

    The file stays the same one, so that a process that appends to it can continue. What is written
    between the last copy and the cut is lost.
    """
    if not log.is_file() or log.stat().st_size <= limit_bytes:
        return
    aside = log.with_suffix(".log.1")
    draft = log.with_suffix(".log.new")
    with log.open("rb") as source, os.fdopen(_private(draft), "wb") as target:
        source.seek(-limit_bytes, os.SEEK_END)
        source.readline()  # its beginning may be cut off
        while part := source.read(1 << 20):
            target.write(part)
    draft.replace(aside)
    os.truncate(log, 0)


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
