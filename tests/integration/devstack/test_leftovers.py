"""Where the kernel does not end orphans, the next start does; and never a stranger."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from compose.devstack.orphans import stop_leftovers
from compose.devstack.status import ChildIdentity, Identity, Pids, RunFiles

GONE = Identity(2**22 - 1, 1.0)


@pytest.fixture
def orphan() -> Iterator[subprocess.Popen[bytes]]:
    """A process that nobody supervises."""
    with subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True
    ) as process:
        yield process
        process.kill()


def _created(process: subprocess.Popen[bytes]) -> float:
    identity = Identity.of(process.pid)
    assert identity is not None
    return identity.created


def test_an_orphan_of_a_dead_supervisor_is_ended(
    tmp_path: Path, orphan: subprocess.Popen[bytes]
) -> None:
    files = RunFiles(tmp_path)
    files.write_pids(
        Pids(GONE, (ChildIdentity(orphan.pid, _created(orphan), "worker", int(signal.SIGTERM)),))
    )
    assert stop_leftovers(files) == ["worker"]
    assert not psutil.pid_exists(orphan.pid)


def test_a_stranger_with_a_reused_number_is_left_alone(
    tmp_path: Path, orphan: subprocess.Popen[bytes]
) -> None:
    files = RunFiles(tmp_path)
    earlier = _created(orphan) - 3600
    files.write_pids(
        Pids(GONE, (ChildIdentity(orphan.pid, earlier, "worker", int(signal.SIGTERM)),))
    )
    assert stop_leftovers(files) == []
    assert orphan.poll() is None


def test_children_of_a_living_supervisor_are_left_alone(
    tmp_path: Path, orphan: subprocess.Popen[bytes]
) -> None:
    files = RunFiles(tmp_path)
    child = ChildIdentity(orphan.pid, _created(orphan), "worker", int(signal.SIGTERM))
    files.write_pids(Pids(Identity(orphan.pid, _created(orphan)), (child,)))
    assert stop_leftovers(files) == []
    assert orphan.poll() is None
