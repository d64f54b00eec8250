"""What `up` does: the servers, the set-up commands and the processes of one stack, in steps."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from compose.devstack.addresses import Addresses, find
from compose.devstack.child import Child
from compose.devstack.commands import COMMAND, PROCESSES, SET_UP, Process, SetUp
from compose.devstack.jars import install, locked_jars
from compose.devstack.orphans import exclusive, stop_leftovers
from compose.devstack.readiness import alive_one_second, api_ready
from compose.devstack.servers.kafka import KafkaServer
from compose.devstack.servers.postgres import PostgresServer
from compose.devstack.status import RunFiles, StackStatus
from compose.devstack.subprocesses import STOP_SECONDS, spawn_options, tail
from compose.devstack.supervisor import Supervisor
from compose.devstack.task_graph import Done, Step, carry_out
from compose.settings import Settings

OnDone = Callable[[Done], None]
# Given the running stack and its processes' environment, returns an exit code; cancelled when the
# stack stops.
OnReady = Callable[[StackStatus, dict[str, str]], Awaitable[int]]
LAST_PORT = 65535


class SetUpError(Exception):
    """A set-up command failed; the message ends with its output."""


class Stack:
    """One start of the stack, bound to its addresses."""

    def __init__(
        self,
        addresses: Addresses,
        set_up: tuple[SetUp, ...] = SET_UP,
        processes: tuple[Process, ...] = PROCESSES,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        """`set_up`, `processes` and `command` are data, so that a smaller stack can be run."""
        if addresses.metrics_port + len(processes) > LAST_PORT + 1:
            raise SetUpError(
                f"HEADRACE_METRICS_PORT {addresses.metrics_port} leaves no ports for "
                f"{len(processes)} processes"
            )
        self._addresses = addresses
        self._set_up = set_up
        self._processes = processes
        self._command = command
        ports, data_dir = addresses.ports, addresses.data_dir
        self._postgres = PostgresServer(data_dir / "postgres", ports.postgres)
        self._kafka = KafkaServer(data_dir / "kafka", ports.kafka, ports.controller)
        self.supervisor = Supervisor(RunFiles(data_dir), addresses.status(), addresses.log_bytes)

    def steps(self) -> tuple[Step, ...]:
        """Everything from nothing to a running stack."""
        commands = tuple(
            Step(each.name, partial(self._run, each), each.needs, each.is_optional)
            for each in self._set_up
        )
        needed = ("postgres", *(each.name for each in self._set_up if not each.is_optional))
        every = ("postgres", "kafka", *(each.name for each in self._set_up))
        return (
            Step("jars", self._jars),
            Step("postgres", self._start_postgres),
            Step("kafka", self._start_kafka, ("jars",), is_optional=True),
            *commands,
            Step("api", partial(self._start_processes, api=True), needed),
            Step("processes", partial(self._start_processes, api=False), every),
        )

    async def _jars(self) -> str:
        if not self._addresses.embedded_kafka:
            return "not needed"
        fetched: list[int] = []
        await asyncio.to_thread(install, on_progress=lambda done, _total: fetched.append(done))
        return f"{len(locked_jars())} checked, {len(fetched)} of them fetched"

    async def _start_postgres(self) -> str:
        if not self._addresses.embedded_postgres:
            return "yours, from HEADRACE_POSTGRES_URL"
        await self.supervisor.start(Child.of_server("postgres", self._postgres))
        return f"127.0.0.1:{self._postgres.port}"

    async def _start_kafka(self) -> str:
        if not self._addresses.embedded_kafka:
            return f"yours, {self._addresses.kafka}"
        await self.supervisor.start(Child.of_server("kafka", self._kafka, is_optional=True))
        return self._kafka.bootstrap

    async def _run(self, step: SetUp) -> str:
        if step.only_embedded and not self._addresses.embedded_postgres:
            return "yours"
        environment = self._addresses.environment()
        if step.only_embedded:  # not as an argument, which every user of the machine could read
            environment["HEADRACE_SUPERUSER_URL"] = self._postgres.url()
        arguments = (*step.arguments, *(step.own_kafka if self._addresses.embedded_kafka else ()))
        log = self.supervisor.log(f"setup-{step.name}")
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *self._command,
                *arguments,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **spawn_options(signal.SIGTERM),
            )
            try:
                code = await asyncio.wait_for(process.wait(), step.most_seconds)
            except TimeoutError as error:
                said = f"{step.name} did not end within {step.most_seconds:.0f} s:\n{tail(log)}"
                raise SetUpError(said) from error
            finally:
                await _end(process)
        if code:
            shown = " ".join(arguments)
            raise SetUpError(
                f"`headrace {shown}` ended with {code}; the end of {log.name}:\n{tail(log)}"
            )
        return tail(log, 1) if step.own_kafka else f"headrace {' '.join(step.arguments[:2])}"

    async def _start_processes(self, *, api: bool) -> str:
        """The API, which does without Kafka; or all the others."""
        chosen = {
            place: process
            for place, process in enumerate(self._processes)
            if (process.name == "api") == api
        }
        await self.supervisor.start_together(
            self._child(place, process) for place, process in chosen.items()
        )
        return ", ".join(process.name for process in chosen.values()) or "none"

    def _child(self, place: int, process: Process) -> Child:
        return Child(
            process.name,
            lambda: [*self._command, *process.arguments],
            partial(self._addresses.environment, place=place),
            Path.cwd(),
            ready=partial(api_ready, self._addresses.api_url)
            if process.name == "api"
            else alive_one_second,
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def run_up(
    settings: Settings,
    on_done: OnDone = lambda _: None,
    on_ready: OnReady | None = None,
    build: Callable[[Addresses], Stack] = Stack,
) -> int:
    """Bring the stack up and keep it up until Ctrl-C or SIGTERM; returns the exit code.

    Call it in the main thread. `on_done` hears of each finished step, the last of which is `ready`.
    When `on_ready` returns anything but 0 the stack is stopped, and the code is 1.
    AlreadyRunningError when another one runs in this data directory; ChildFailedError, SetUpError
    and the servers' own errors say why it could not start, after everything was stopped again.
    """
    with exclusive(RunFiles(settings.data_dir.absolute())):
        return asyncio.run(_up(settings, on_done, on_ready, build))


async def _up(
    settings: Settings,
    on_done: OnDone,
    on_ready: OnReady | None,
    build: Callable[[Addresses], Stack],
) -> int:
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupted.set)
    began = time.monotonic()
    left = await asyncio.to_thread(
        stop_leftovers, RunFiles(settings.data_dir.absolute()), STOP_SECONDS
    )
    if left:
        on_done(
            Done(
                "leftovers",
                f"stopped {', '.join(left)} of a stack that was killed",
                time.monotonic() - began,
            )
        )
    addresses = find(settings)
    ports = addresses.ports
    detail = f"postgres {ports.postgres}, kafka {ports.kafka}, api {ports.api}"
    on_done(Done("ports", detail, time.monotonic() - began))
    stack = build(addresses)
    life = asyncio.create_task(_live(stack, addresses, on_done, on_ready, began))
    stopper = asyncio.create_task(interrupted.wait())
    try:
        await asyncio.wait({life, stopper}, return_when=asyncio.FIRST_COMPLETED)
        return life.result() if life.done() else 0
    finally:
        for task in (life, stopper):
            task.cancel()
        await asyncio.gather(life, stopper, return_exceptions=True)
        stopping = time.monotonic()
        await stack.supervisor.stop()
        on_done(Done("stopped", "everything that was started", time.monotonic() - stopping))


async def _live(
    stack: Stack, addresses: Addresses, on_done: OnDone, on_ready: OnReady | None, began: float
) -> int:
    problems: list[str] = []

    def finished(done: Done) -> None:
        if not done.ok:
            problems.append(f"{done.name}: {done.detail}")
        on_done(done)

    await carry_out(stack.steps(), finished)
    stack.supervisor.set_state("running", tuple(problems))
    on_done(Done("ready", addresses.api_url, time.monotonic() - began))
    if on_ready is not None and await on_ready(stack.supervisor.status, addresses.environment()):
        return 1
    await asyncio.Event().wait()  # until it is cancelled
    return 0
