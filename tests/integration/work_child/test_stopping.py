"""Every way a child can fail or be stopped, each on a real process, and nothing of it left
behind.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from consumers.work.child_result import Broken, Canceled, Crashed, Finished, LimitExceeded, Progress
from consumers.work.limits import MIB, ResourceLimits
from consumers.work.subprocess_runner import working_directory
from tests.integration.work_child.attempts import alive, attempt, misbehave, until


@pytest.fixture(autouse=True)
async def _nothing_left_behind() -> AsyncIterator[None]:
    me = psutil.Process()
    before = {child.pid for child in me.children()}  # the servers of the run

    def left() -> list[psutil.Process]:
        mine = [child for child in me.children() if child.pid not in before]
        return [one for child in mine for one in (child, *_below(child)) if alive(one.pid)]

    yield
    await until(lambda: not left())


def _below(child: psutil.Process) -> list[psutil.Process]:
    try:
        return child.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


async def test_what_a_library_prints_does_not_reach_the_protocol(tmp_path: Path) -> None:
    result = await misbehave("noisy", tmp_path)
    assert isinstance(result, Finished)
    assert result.peak_rss_bytes < 100 * MIB
    assert 0 < result.cpu_seconds < 10
    assert result.result["session"]
    assert result.result["directory"] == str(tmp_path)


async def test_the_environment_holds_nothing_of_the_parents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_SECRET", "do not hand down")
    result = await misbehave("noisy", tmp_path)
    assert isinstance(result, Finished)
    environment = result.result["environment"]
    assert "do not hand down" not in environment.values()
    assert environment["OMP_NUM_THREADS"] == "1"
    assert "PATH" not in environment


async def test_an_exception_is_reported_as_ours_and_bounded(tmp_path: Path) -> None:
    result = await misbehave("broken", tmp_path)
    assert isinstance(result, Broken)
    assert result.error_type == "builtins.ZeroDivisionError"
    assert len(result.message.encode()) == 2000
    assert len(result.traceback) <= 8000


async def test_a_kind_that_only_tests_know_is_unknown_to_the_real_entry_point(
    tmp_path: Path,
) -> None:
    result = await attempt("spinning", {}, tmp_path)
    assert isinstance(result, Broken)
    assert result.error_type == "builtins.KeyError"


async def test_resident_memory_is_watched(tmp_path: Path) -> None:
    result = await misbehave("greedy", tmp_path, ResourceLimits(memory_bytes=200 * MIB))
    assert isinstance(result, LimitExceeded)
    assert result.code == "memory_limit"


async def test_address_space_is_limited_without_waiting_for_the_watch(tmp_path: Path) -> None:
    result = await misbehave(
        "greedy", tmp_path, ResourceLimits(memory_bytes=200 * MIB), payload={"at_once": 4096 * MIB}
    )
    assert isinstance(result, LimitExceeded)
    assert result.code == "memory_limit"


async def test_processor_time_is_limited(tmp_path: Path) -> None:
    result = await misbehave("spinning", tmp_path, ResourceLimits(cpu_seconds=1))
    assert isinstance(result, LimitExceeded)
    assert result.code == "cpu_limit"


async def test_the_deadline_is_of_the_wall_clock(tmp_path: Path) -> None:
    result = await misbehave("waiting", tmp_path, ResourceLimits(wall_seconds=0.5))
    assert isinstance(result, LimitExceeded)
    assert result.code == "deadline"


async def test_processes_are_counted(tmp_path: Path) -> None:
    result = await misbehave("forking", tmp_path)
    assert isinstance(result, LimitExceeded)
    assert result.code == "process_limit"


async def test_a_file_cannot_grow_past_its_limit(tmp_path: Path) -> None:
    result = await misbehave("filling", tmp_path, ResourceLimits(file_bytes=8 * MIB))
    assert isinstance(result, LimitExceeded)
    assert result.code == "file_limit"


async def test_garbage_instead_of_the_protocol_is_a_crash(tmp_path: Path) -> None:
    result = await misbehave("babbling", tmp_path)
    assert isinstance(result, Crashed)
    assert "segmentation what?" in result.message


async def test_killed_by_somebody_else_is_a_crash(tmp_path: Path) -> None:
    def kill(progress: Progress) -> None:
        os.kill(int(progress.stage), signal.SIGKILL)

    result = await misbehave("waiting", tmp_path, on_progress=kill)
    assert isinstance(result, Crashed)
    assert "SIGKILL" in result.message


async def test_an_orphan_that_keeps_the_pipes_open_is_ended_too(tmp_path: Path) -> None:
    result = await asyncio.wait_for(misbehave("orphaning", tmp_path), 120)
    assert isinstance(result, Crashed)
    assert "exit code 7" in result.message


async def test_cancellation_ends_the_child(tmp_path: Path) -> None:
    cancelled = asyncio.Event()
    result = await misbehave(
        "waiting", tmp_path, on_progress=lambda _: cancelled.set(), cancelled=cancelled
    )
    assert isinstance(result, Canceled)


async def test_a_process_in_a_session_of_its_own_ends_with_the_child(tmp_path: Path) -> None:
    cancelled = asyncio.Event()
    escaped: list[int] = []

    def note(progress: Progress) -> None:
        escaped.append(int(progress.stage))
        cancelled.set()

    assert isinstance(
        await misbehave("escaping", tmp_path, on_progress=note, cancelled=cancelled), Canceled
    )
    await until(lambda: not alive(escaped[0]))


async def test_a_cancelled_task_ends_the_child(tmp_path: Path) -> None:
    pids: list[int] = []
    task = asyncio.create_task(
        misbehave("waiting", tmp_path, on_progress=lambda said: pids.append(int(said.stage)))
    )
    await until(lambda: bool(pids))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not alive(pids[0]))


async def test_a_failing_listener_ends_the_child_and_is_heard(tmp_path: Path) -> None:
    pids: list[int] = []

    def fail(progress: Progress) -> None:
        pids.append(int(progress.stage))
        raise ValueError("the listener's own")

    with pytest.raises(ValueError, match="the listener's own"):
        await misbehave("waiting", tmp_path, on_progress=fail)
    assert not alive(pids[0])


async def test_a_parent_killed_takes_its_child_along(tmp_path: Path) -> None:
    program = ("-m", "tests.integration.work_child.parent", str(tmp_path))
    parent = await asyncio.create_subprocess_exec(
        sys.executable, *program, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    assert alive(child)
    parent.kill()
    await parent.wait()
    await until(lambda: not alive(child))


def test_the_working_directory_goes_with_its_content(tmp_path: Path) -> None:
    with working_directory(tmp_path) as directory:
        (directory / "left").write_text("something")
    assert not directory.exists()
    assert tmp_path.exists()


def test_the_parent_imports_neither_polars_nor_sklearn() -> None:
    program = (
        "import sys, consumers.work.subprocess_runner, consumers.ingest.protocol, consumers.training.protocol;"
        "import consumers.training.task, consumers.training.options;"
        "sys.exit(str({'polars', 'sklearn', 'numpy', 'skops'} & set(sys.modules) or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == ""
