"""The supervisor starts again what dies, stops what it started, and leaves nothing behind."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from compose.devstack.status import ProcessStatus, RunFiles, StackStatus
from compose.devstack.subprocesses import stop
from tests.integration.devstack.waiting import ended, until

SMALL_STACK = Path(__file__).parent / "small_stack.py"


@contextmanager
def small_stack(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A stack in a process of its own, running; what remains of it is stopped at the end."""
    files = RunFiles(data_dir)
    with subprocess.Popen(
        [sys.executable, str(SMALL_STACK), str(data_dir)], stdout=subprocess.PIPE
    ) as process:
        try:
            until(
                lambda: process.poll() is not None or files.status().state == "running",
                "the stack runs",
            )
            assert process.poll() is None, (process.stdout or sys.stdin.buffer).read().decode()
            yield process
        finally:
            stop(process, signal.SIGTERM)


def _process(status: StackStatus, name: str) -> ProcessStatus:
    return next(process for process in status.processes if process.name == name)


def _metrics_port(files: RunFiles, name: str) -> str:
    return psutil.Process(_process(files.status(), name).pid).environ()["HEADRACE_METRICS_PORT"]


def test_what_dies_is_started_again_and_counted(data_dir: Path) -> None:
    files = RunFiles(data_dir)
    with small_stack(data_dir):
        assert (data_dir / "recorded").read_text() == files.status().kafka
        assert [_metrics_port(files, name) for name in ("first", "second")] == ["9464", "9465"]
        for name in ("first", "postgres", "kafka"):
            before = _process(files.status(), name)
            assert before.restarts == 0
            psutil.Process(before.pid).kill()
            until(lambda name=name: _again(files, name), f"{name} runs again")  # type: ignore[misc]
            assert _process(files.status(), name).pid != before.pid
        assert _process(files.status(), "second").restarts == 0


def _again(files: RunFiles, name: str) -> bool:
    found = _process(files.status(), name)
    return found.state == "running" and found.restarts >= 1


def test_a_second_one_is_refused_and_sigterm_stops_everything(data_dir: Path) -> None:
    files = RunFiles(data_dir)
    with small_stack(data_dir) as process:
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 4
        second = subprocess.run(
            [sys.executable, str(SMALL_STACK), str(data_dir)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 1
        assert "AlreadyRunningError" in second.stderr
        assert files.status().state == "running"
        process.terminate()
        assert process.wait(30) == 0
        assert ended(children)
    assert files.status().state == "stopped"
    assert not (data_dir / "postgres" / "cluster" / "postmaster.pid").exists()


def test_nothing_outlives_a_supervisor_killed_with_9(data_dir: Path) -> None:
    files = RunFiles(data_dir)
    with small_stack(data_dir) as process:
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 4
        process.kill()
        process.wait()
        until(lambda: ended(children), "all its children have ended")
    assert files.status().state == "stopped"
    with small_stack(data_dir):
        assert files.status().state == "running"
