"""Keeps named processes alive: starts them, restarts what dies, stops them in reverse order."""

import asyncio
import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from compose.devstack.child import Child
from compose.devstack.logs import keep_short, shorten
from compose.devstack.readiness import READY_SECONDS
from compose.devstack.status import (
    ChildIdentity,
    Identity,
    Pids,
    ProcessStatus,
    RunFiles,
    StackStatus,
    State,
    own_identity,
)
from compose.devstack.subprocesses import ChildFailedError, spawn_options, sweep_group, tail

BACKOFF_SECONDS = (0.2, 5.0)
STABLE_SECONDS = 10.0
DEATHS_BEFORE_READY = 3
LOG_BYTES = 64 << 20


@dataclass
class _Kept:
    child: Child
    status: ProcessStatus
    started: asyncio.Future[None]
    process: asyncio.subprocess.Process | None = None
    identity: Identity | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    keeper: asyncio.Task[None] | None = None


class Supervisor:
    """Children of one data directory.

    Made and used in the main thread, whose death ends them (Linux).
    """

    def __init__(self, files: RunFiles, status: StackStatus, log_bytes: int = LOG_BYTES) -> None:
        """Begin with `status`, whose addresses every later status.json repeats."""
        self._files = files
        self._log_bytes = log_bytes
        self._status = status
        self._kept: dict[str, _Kept] = {}
        self._self = own_identity()
        files.logs.mkdir(parents=True, exist_ok=True)
        files.logs.chmod(0o700)
        self._publish()

    @property
    def status(self) -> StackStatus:
        """What status.json holds now."""
        return self._status

    def set_state(self, state: State, problems: tuple[str, ...] = ()) -> None:
        """Say what the stack as a whole is doing, and what of its start failed."""
        self._status = replace(self._status, state=state, problems=problems)
        self._publish()

    async def start(self, child: Child) -> None:
        """Start `child`, return when it is ready, and keep it alive from then on.

        ChildFailedError with the end of its log when it does not get ready.
        """
        shorten(self.log(child.name), self._log_bytes)
        await asyncio.to_thread(child.prepare)
        kept = _Kept(child, ProcessStatus(child.name), asyncio.get_running_loop().create_future())
        self._kept[child.name] = kept
        kept.keeper = asyncio.create_task(self._keep(kept), name=f"keep {child.name}")
        await asyncio.shield(kept.started)

    async def start_together(self, children: Iterable[Child]) -> None:
        """Start several that do not need one another."""
        starting = [asyncio.create_task(self.start(child)) for child in children]
        try:
            await asyncio.gather(*starting)
        finally:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)

    async def stop(self) -> None:
        """Stop everything that was started: higher ranks first, those of one rank together."""
        self.set_state("stopping")
        for rank in sorted({kept.child.rank for kept in self._kept.values()}, reverse=True):
            await asyncio.gather(
                *(self._stop(kept) for kept in self._kept.values() if kept.child.rank == rank)
            )
        self._status = replace(self._status, supervisor_pid=None)
        self.set_state("stopped")

    def log(self, name: str) -> Path:
        """Where the output of this child goes."""
        return self._files.logs / f"{name}.log"

    async def _keep(self, kept: _Kept) -> None:
        delay = BACKOFF_SECONDS[0]
        try:
            while not kept.stopping.is_set():
                began = time.monotonic()
                try:
                    code = await self._live(kept)
                except Exception as error:  # noqa: BLE001  the other children are kept
                    code = -1
                    self._note(kept, f"cannot be started: {error}")
                if kept.stopping.is_set():
                    break
                restarts = kept.status.restarts + 1
                if not kept.started.done() and restarts >= DEATHS_BEFORE_READY:
                    self._fail(kept, f"ended with {code} before it was ready")
                    if not kept.child.is_optional:
                        break
                if time.monotonic() - began >= STABLE_SECONDS:
                    delay = BACKOFF_SECONDS[0]
                self._change(kept, pid=None, state="restarting", restarts=restarts)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(kept.stopping.wait(), delay)
                delay = min(delay * 2, BACKOFF_SECONDS[1])
        finally:
            self._change(kept, pid=None, state="stopped", restarts=kept.status.restarts)
            if not kept.started.done():
                kept.started.cancel()

    async def _live(self, kept: _Kept) -> int:
        """One life of a child, from its start to its end; returns the exit code."""
        child = kept.child
        if kept.status.restarts:
            await asyncio.to_thread(child.prepare)
        with self.log(child.name).open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *child.command(),
                env=child.environment(),
                cwd=child.directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **spawn_options(child.stop_signal, child.user),
            )
        kept.process = process
        kept.identity = Identity.of(process.pid)
        self._change(kept, pid=process.pid, state="starting", restarts=kept.status.restarts)
        watcher = asyncio.create_task(self._watch(kept))
        shortener = asyncio.create_task(keep_short(self.log(child.name), self._log_bytes))
        try:
            return await process.wait()
        finally:
            watcher.cancel()
            shortener.cancel()
            sweep_group(process.pid)
            kept.process = kept.identity = None

    async def _watch(self, kept: _Kept) -> None:
        try:
            await asyncio.wait_for(kept.child.ready(), READY_SECONDS)
        except Exception as error:  # noqa: BLE001  any failure of a check means the same
            # At a restart it stays `starting`: it lives, and whoever needs it retries.
            self._note(kept, f"is not ready: {error or 'out of time'}")
            if not kept.started.done():
                self._fail(kept, f"is not ready: {error or 'out of time'}")
            return
        self._change(kept, pid=kept.status.pid, state="running", restarts=kept.status.restarts)
        if not kept.started.done():
            kept.started.set_result(None)

    async def _stop(self, kept: _Kept) -> None:
        kept.stopping.set()
        if kept.process is not None and kept.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                kept.process.send_signal(kept.child.stop_signal)
        if kept.keeper is None:
            return
        if not (await asyncio.wait({kept.keeper}, timeout=kept.child.stop_seconds))[0]:
            self._note(kept, f"did not stop within {kept.child.stop_seconds:.0f} s and is killed")
            if kept.process is not None:
                sweep_group(kept.process.pid)
            await asyncio.wait({kept.keeper})
        # A child that never got ready was reported already; nobody else will ask for these.
        if kept.started.done() and not kept.started.cancelled():
            kept.started.exception()

    def _fail(self, kept: _Kept, what: str) -> None:
        name = kept.child.name
        kept.started.set_exception(
            ChildFailedError(f"{name} {what}; the end of {name}.log:\n{tail(self.log(name))}")
        )

    def _change(self, kept: _Kept, **what: object) -> None:
        kept.status = replace(kept.status, **what)  # type: ignore[arg-type]
        self._publish()

    def _publish(self) -> None:
        processes = tuple(kept.status for kept in self._kept.values())
        self._status = replace(self._status, processes=processes)
        living = tuple(
            ChildIdentity(
                kept.identity.pid,
                kept.identity.created,
                kept.child.name,
                int(kept.child.stop_signal),
            )
            for kept in self._kept.values()
            if kept.identity is not None
        )
        self._files.write_pids(Pids(self._self, living))
        self._files.write_status(self._status)

    def _note(self, kept: _Kept, text: str) -> None:
        with self.log(kept.child.name).open("a", encoding="utf-8") as log:
            print(
                f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} supervisor: {text}", file=log
            )
