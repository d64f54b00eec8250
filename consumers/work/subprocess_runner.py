"""One attempt in one child process: start it under limits, listen, watch, and leave nothing of
it behind.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from consumers.work.child_result import (
    Broken,
    Canceled,
    ChildRequest,
    ChildResult,
    Crashed,
    Finished,
    LimitCode,
    LimitExceeded,
    OnProgress,
    Progress,
    TenantRefused,
)
from consumers.work.limits import MIB, ResourceLimits, environment, kill_tree, tree_usage

LINE_BYTES = 16 * MIB
STDERR_BYTES = 64 * 1024
WATCH_SECONDS = 0.1
EXIT_SECONDS = 10.0
# What native libraries write on stderr before they abort for want of memory.
OUT_OF_MEMORY = (
    "memory allocation of",
    "std::bad_alloc",
    "Memory allocation still failed",
    "MemoryError",
)


@contextmanager
def working_directory(parent: Path | None = None) -> Iterator[Path]:
    """A directory for one attempt, removed with all its content when the block ends."""
    path = Path(tempfile.mkdtemp(prefix="attempt-", dir=parent)).resolve()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


async def run_child(
    request: ChildRequest,
    limits: ResourceLimits,
    on_progress: OnProgress,
    cancelled: asyncio.Event,
    *,
    module: str = "consumers.work.child",
) -> ChildResult:
    """Run one request to its end.

    Every way out, cancellation of this task included, kills and reaps the tree.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "children are started from the main thread: they die with the thread that made them"
        )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=request.directory,
        env=environment(request.directory),
        start_new_session=True,
        limit=LINE_BYTES,
    )
    complaints = asyncio.create_task(_tail(process))
    conversation = asyncio.create_task(_converse(process, request, limits, on_progress))
    watch = asyncio.create_task(_watch(process, limits))
    cancel = asyncio.create_task(cancelled.wait())
    tasks: tuple[asyncio.Task[Any], ...] = (conversation, watch, cancel)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        kill_tree(
            process.pid
        )  # never `process.kill()`: it reaps, and the loop's own reaper then reports 255
        await process.wait()
        for task in tasks:
            if not task.done():
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        stderr = await complaints
    if not conversation.cancelled() and (answer := conversation.result()) is not None:
        return _answered(answer)
    if not watch.cancelled():
        return watch.result()
    if cancelled.is_set():
        return Canceled()
    return _died(process.returncode, stderr)


async def _converse(
    process: asyncio.subprocess.Process,
    request: ChildRequest,
    limits: ResourceLimits,
    on_progress: OnProgress,
) -> dict[str, Any] | None:
    """The child's answer, or None when it ended without one that can be believed."""
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise RuntimeError("the child was started without pipes")
    line = {
        "kind": request.kind,
        "parent_pid": os.getpid(),
        "limits": limits.for_child(),
        "payload": dict(request.payload),
    }
    stdin.write(json.dumps(line).encode() + b"\n")
    with suppress(ConnectionError):
        await stdin.drain()
        stdin.close()
    while raw := await _line(stdout):
        message = _parse(raw)
        if not isinstance(message, Progress):
            if "garbage" in message:
                return message
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), EXIT_SECONDS)
            return message if process.returncode == 0 else None
        said = on_progress(message)
        if said is not None:
            await said
    return None


async def _line(stdout: asyncio.StreamReader) -> bytes:
    try:
        return await stdout.readline()
    except ValueError:
        return b"a line without end"


def _parse(raw: bytes) -> Progress | dict[str, Any]:
    try:
        message: dict[str, Any] = json.loads(raw)
        if "progress" not in message:
            return dict(message)
        return Progress(str(message["progress"]["stage"]), float(message["progress"]["fraction"]))
    except (ValueError, TypeError, KeyError):
        return {"garbage": raw[:200].decode(errors="replace")}


async def _watch(process: asyncio.subprocess.Process, limits: ResourceLimits) -> LimitExceeded:
    """Ends only when a limit is passed."""
    deadline = time.monotonic() + limits.wall_seconds
    while time.monotonic() < deadline:
        if process.returncode is not None:
            kill_tree(
                process.pid
            )  # an orphan would hold the pipes open, and the conversation with them
        used = tree_usage(process.pid)
        if used.processes > limits.processes:
            return LimitExceeded(
                "process_limit", f"{used.processes} processes, {limits.processes} allowed"
            )
        if used.rss_bytes > limits.memory_bytes:
            return LimitExceeded(
                "memory_limit", f"{used.rss_bytes} bytes resident, {limits.memory_bytes} allowed"
            )
        await asyncio.sleep(min(WATCH_SECONDS, max(0.0, deadline - time.monotonic())))
    return LimitExceeded("deadline", f"not finished after {limits.wall_seconds:g} seconds")


async def _tail(process: asyncio.subprocess.Process) -> str:
    kept = b""
    while process.stderr is not None and (chunk := await process.stderr.read(STDERR_BYTES)):
        kept = (kept + chunk)[-STDERR_BYTES:]
    return kept.decode(errors="replace")


def _answered(answer: Mapping[str, Any]) -> ChildResult:
    if "garbage" in answer:
        return Crashed(f"not the protocol: {answer['garbage']!r}")
    try:
        if "result" in answer:
            used = answer["usage"]
            return Finished(
                answer["result"],
                int(used["peak_rss_bytes"]),
                float(used["seconds"]),
                float(used["cpu_seconds"]),
            )
        if "refused" in answer:
            return TenantRefused(**answer["refused"])
        failure = answer["failure"]
        if failure["limit"] is not None:
            return LimitExceeded(
                cast("LimitCode", failure["limit"]), failure["message"] or failure["type"]
            )
        return Broken(failure["type"], failure["message"], failure["traceback"])
    except (KeyError, TypeError, ValueError) as error:
        return Crashed(f"an answer that is none: {error!r}")


def _died(returncode: int | None, stderr: str) -> ChildResult:
    last = stderr.strip()[-2000:]
    if returncode == -signal.SIGXCPU:
        return LimitExceeded("cpu_limit", "used up its processor time")
    if returncode not in (0, -signal.SIGKILL) and any(words in stderr for words in OUT_OF_MEMORY):
        return LimitExceeded("memory_limit", last)
    if returncode is not None and returncode < 0:
        return Crashed(f"killed by {signal.Signals(-returncode).name}; {last}")
    return Crashed(f"exit code {returncode} without an answer; {last}")
