"""What the supervisor does with a single child, good or bad."""

import asyncio
import os
import signal
import stat
import sys
from pathlib import Path

import psutil
import pytest

from compose.devstack.child import Child
from compose.devstack.logs import shorten
from compose.devstack.status import RunFiles, StackStatus
from compose.devstack.subprocesses import ChildFailedError
from compose.devstack.supervisor import Supervisor
from tests.eventually import eventually
from tests.integration.devstack.waiting import ended, until

PAUSE = "import signal; signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); "
    "signal.pause()"
)
TALKER = """
import itertools, sys, time
for number in itertools.count(1):
    print(number, "x" * 90)
    if number % 100 == 0:
        sys.stdout.flush()
        time.sleep(0.01)
"""
PARENT = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {PAUSE!r}]); {PAUSE}"


@pytest.fixture
def supervisor(tmp_path: Path) -> Supervisor:
    """One without children."""
    return Supervisor(RunFiles(tmp_path), StackStatus("starting", os.getpid()))


def python(name: str, code: str, stop_seconds: float = 20.0) -> Child:
    """A child that runs `code`."""
    return Child(
        name,
        lambda: [sys.executable, "-c", code],
        lambda: dict(os.environ),
        Path.cwd(),
        stop_seconds=stop_seconds,
    )


async def test_a_child_that_cannot_get_ready_fails_with_the_end_of_its_log(
    supervisor: Supervisor,
) -> None:
    with pytest.raises(
        ChildFailedError, match=r"broken ended with 3 before it was ready(.|\n)*no such table"
    ):
        await supervisor.start(python("broken", "print('no such table'); raise SystemExit(3)"))
    await supervisor.stop()
    assert supervisor.status.processes[0].state == "stopped"


async def test_a_program_that_is_not_there_fails_with_its_name(supervisor: Supervisor) -> None:
    child = Child("absent", lambda: ["/nowhere/program"], lambda: dict(os.environ), Path.cwd())
    with pytest.raises(ChildFailedError, match="/nowhere/program"):
        await supervisor.start(child)
    await supervisor.stop()


async def test_a_child_that_ignores_the_signal_is_killed(supervisor: Supervisor) -> None:
    await supervisor.start(python("deaf", DEAF, stop_seconds=0.2))
    process = psutil.Process(supervisor.status.processes[0].pid)
    until(lambda: "deaf" in supervisor.log("deaf").read_text(), "it is deaf")
    await supervisor.stop()
    assert ended([process])
    assert "is killed" in supervisor.log("deaf").read_text()


async def test_what_a_child_leaves_in_its_group_ends_with_it(supervisor: Supervisor) -> None:
    await supervisor.start(python("parent", PARENT))
    parent = psutil.Process(supervisor.status.processes[0].pid)
    until(lambda: len(parent.children()) == 1, "it has a child")
    grandchild = parent.children()[0]
    await supervisor.stop()
    until(lambda: ended([parent, grandchild]), "both have ended")


async def test_a_child_does_not_hear_the_terminal(supervisor: Supervisor) -> None:
    await supervisor.start(python("quiet", PAUSE))
    pid = supervisor.status.processes[0].pid
    assert pid is not None
    assert os.getsid(pid) == pid != os.getsid(0)
    await supervisor.stop()


def test_a_log_that_has_grown_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("first line\n" + "x" * 89)
    shorten(log, limit_bytes=100)
    assert not log.with_suffix(".log.1").exists()
    shorten(log, limit_bytes=99)
    assert log.read_text() == ""
    assert (tmp_path / "api.log.1").read_text() == "x" * 89


async def test_a_log_is_kept_short_while_its_child_writes(tmp_path: Path) -> None:
    """One life of a child that never stops writing: its log has an end, and the newest lines are
    there.
    """
    files = RunFiles(tmp_path)
    supervisor = Supervisor(files, StackStatus("starting", os.getpid()), log_bytes=200_000)
    await supervisor.start(python("talker", TALKER))
    pid = supervisor.status.processes[0].pid
    log = supervisor.log("talker")
    aside = log.with_suffix(".log.1")

    def last() -> int:
        lines = (aside.read_bytes() + log.read_bytes()).split(b"\n")
        return int(lines[-2].split()[0]) if len(lines) > 1 else 0

    async def written() -> int:
        return await asyncio.to_thread(last) if aside.exists() else 0

    await eventually(written, lambda number: number > 10_000)
    assert sum(one.stat().st_size for one in files.logs.iterdir()) < 2_000_000
    assert supervisor.status.processes[0].pid == pid
    await supervisor.stop()


async def test_what_a_child_writes_is_its_owners_alone(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    """Whatever the umask of whoever starts the stack."""
    before = os.umask(0o022)
    try:
        await supervisor.start(python("writer", f"open({str(tmp_path / 'made')!r}, 'w'); {PAUSE}"))
        await eventually(lambda: asyncio.to_thread((tmp_path / "made").exists))
        await supervisor.stop()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o600
    assert stat.S_IMODE(supervisor.log("writer").parent.stat().st_mode) == 0o700


def test_the_signal_of_a_child_is_remembered(tmp_path: Path, supervisor: Supervisor) -> None:
    pids = RunFiles(tmp_path).pids()
    assert pids is not None
    assert pids.supervisor.pid == os.getpid()
    assert supervisor.status.state == "starting"
    assert python("any", PAUSE).stop_signal == signal.SIGTERM
