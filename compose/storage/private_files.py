"""Files and folders that nobody reads but their owner."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def flush(file: BinaryIO) -> None:
    """Put a file's bytes on the disk."""
    file.flush()
    os.fsync(file.fileno())


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, readable by their owner only."""
    if not folder.is_dir():
        make_private(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)


def close_to_others(folder: Path) -> None:
    """Take what is not the owner's or the group's from a folder of this user's."""
    found = folder.stat()
    if found.st_uid == os.geteuid() and found.st_mode & stat.S_IRWXO:
        folder.chmod(stat.S_IMODE(found.st_mode) & ~stat.S_IRWXO)
