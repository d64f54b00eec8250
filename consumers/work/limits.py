"""What a child process may use, and how its parent sees and ends everything that the child
started.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

MIB = 1024 * 1024
# scikit-learn beside polars maps this much before the first row is read; almost none of it becomes
# resident.
LIBRARIES_ADDRESS_SPACE_BYTES = 1200 * MIB


@dataclass(frozen=True, slots=True)
class ResourceLimits:
    """Sizes in bytes, times in seconds; `memory_bytes` is what the whole tree may hold resident."""

    memory_bytes: int = 1024 * MIB
    cpu_seconds: int = 600
    wall_seconds: float = 900.0
    processes: int = 4
    file_bytes: int = 1024 * MIB
    open_files: int = 256

    def for_child(self) -> dict[str, int]:
        """The part that the child's own process sets on itself before it imports anything heavy."""
        return {
            "address_space_bytes": LIBRARIES_ADDRESS_SPACE_BYTES + self.memory_bytes,
            "cpu_seconds": self.cpu_seconds,
            "file_bytes": self.file_bytes,
            "open_files": self.open_files,
        }


def environment(directory: Path) -> dict[str, str]:
    """Nothing of the parent's but the loader's path.

    One thread everywhere, so that sums come out the same.
    """
    own = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    threads = ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB", "NUMEXPR")
    return own | {
        "LANG": "C.UTF-8",
        "TMPDIR": str(directory),
        "HOME": str(directory),
        "POLARS_MAX_THREADS": "1",
        "LOKY_MAX_CPU_COUNT": "1",
        **{f"{name}_NUM_THREADS": "1" for name in threads},
        "VECLIB_MAXIMUM_THREADS": "1",
    }


@dataclass(frozen=True, slots=True)
class TreeUsage:
    rss_bytes: int
    processes: int


def tree_usage(session: int) -> TreeUsage:
    """Resident bytes and number of processes of the session that the child leads, and of its
    descendants.
    """
    rss = 0
    count = 0
    for pid in tree(session):
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                rss += process.memory_info().rss
                count += 1
    return TreeUsage(rss, count)


def tree(session: int) -> set[int]:
    """Members by session, which an orphan keeps, and by descent, which a process with its own
    session keeps.
    """
    members: set[int] = set()
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == session:
                members.add(pid)
    descendants: set[int] = set()
    for pid in members:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            if (
                process.ppid() not in members
            ):  # one search of the whole table per root, not per member
                descendants.update(child.pid for child in process.children(recursive=True))
    return members | descendants


def kill_tree(session: int) -> None:
    """Stop, then kill, until nobody new appears: a process that forks faster than it is killed
    must not win.
    """
    seen: set[int] = set()
    while fresh := tree(session) - seen:
        for pid in fresh:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        seen |= fresh
    for pid in seen:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
