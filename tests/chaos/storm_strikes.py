"""What a storm does to the servers and the processes, while senders go on."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import psutil

from compose.devstack.servers.postgres import PostgresServer, programs
from compose.devstack.subprocesses import spawn_options
from compose.settings import PREFIX
from tests.chaos.live_stack import COMMAND, LiveStack, environment
from tests.eventually import eventually

TAKEOVER_SECONDS = 600.0  # it may have to wait until Kafka is back
SHORT = ("postgres stopped at once", "api killed", "relay killed after a send")
ALL = (*SHORT, "postgres killed with its children", "relay killed")


def schedule(dice: random.Random, total: int, strikes: Sequence[str]) -> list[tuple[int, str]]:
    """At how many accepted webhooks which strike comes: spread out, in a random order."""
    order = dice.sample(strikes, len(strikes))
    step = 0.75 * total / len(order)
    return [
        (int(total * 0.05 + step * (place + dice.random() * 0.7)), one)
        for place, one in enumerate(order)
    ]


async def strike(stack: LiveStack, what: str, dice: random.Random) -> None:
    """Strike when the victim is up, and return when it is again."""
    await eventually(lambda: _is_running(stack, what.split(maxsplit=1)[0]), seconds=90)
    match what:
        case "postgres stopped at once":
            await _up_again(stack, "postgres", lambda: _stop_at_once(stack))
        case "postgres killed with its children":
            await _up_again(stack, "postgres", lambda: _kill_family(stack))
        case "api killed":
            await stack.kill("api")
        case "relay killed":
            await stack.kill("relay")
        case "relay killed after a send":
            await _relay_dies_after_a_send(stack, dice.randint(1, 20))
        case _:
            raise ValueError(what)


async def _is_running(stack: LiveStack, name: str) -> bool:
    return stack.process(name).state == "running"


async def _up_again(stack: LiveStack, name: str, end: Callable[[], Awaitable[None]]) -> None:
    before = stack.process(name)
    await end()

    async def restarted() -> bool:
        now = stack.process(name)
        return now.state == "running" and now.restarts > before.restarts

    await eventually(restarted, seconds=90)


async def _stop_at_once(stack: LiveStack) -> None:
    """`pg_ctl stop -m immediate`: no checkpoint, recovery at the next start."""
    server = PostgresServer(stack.data_dir / "postgres", 0)
    user = (
        {}
        if server.user is None
        else {"user": server.user, "group": server.user, "extra_groups": []}
    )
    stopping = await asyncio.create_subprocess_exec(
        str(programs() / "pg_ctl"),
        "stop",
        "-m",
        "immediate",
        "-D",
        str(server.cluster),
        "-W",
        cwd=server.cluster.parent,
        env=server.environment(),
        stdout=asyncio.subprocess.DEVNULL,
        **user,  # type: ignore[arg-type]
    )
    assert await stopping.wait() == 0


async def _kill_family(stack: LiveStack) -> None:
    postmaster = psutil.Process(stack.pid("postgres"))
    family = [postmaster, *postmaster.children(recursive=True)]
    for one in family:
        try:
            one.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue


async def _relay_dies_after_a_send(stack: LiveStack, count: int) -> None:
    """A second relay takes over from the first and dies between Kafka's answer and the outbox'
    row; a third goes on.
    """
    address = {"POSTGRES_URL": stack.postgres_url, "KAFKA": stack.kafka}
    ours = environment(
        **{PREFIX + name: value for name, value in address.items()}, CRASH_AT=f"relay.sent:{count}"
    )
    second = await asyncio.create_subprocess_exec(
        *COMMAND,
        "relay",
        env=ours,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        **spawn_options(signal.SIGTERM),
    )
    try:
        async with asyncio.timeout(TAKEOVER_SECONDS):
            while second.returncode is None:
                # Again and again: who is elected after the next fall of Postgres is a matter of
                # chance.
                with suppress(TimeoutError):
                    await asyncio.wait_for(second.wait(), 3)
                first = stack.process("relay").pid
                if second.returncode is None and first is not None:
                    with suppress(ProcessLookupError):
                        os.kill(first, signal.SIGKILL)
    finally:
        if second.returncode is None:
            second.kill()
            await second.wait()
    assert second.returncode == -signal.SIGKILL


@asynccontextmanager
async def kafka_away(stack: LiveStack) -> AsyncIterator[None]:
    """Each start of it is killed."""

    async def killing() -> None:
        while True:
            pid = stack.process("kafka").pid
            if pid is not None and psutil.pid_exists(pid):
                os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.05)

    killer = asyncio.create_task(killing())
    try:
        yield
    finally:
        killer.cancel()
        await asyncio.gather(killer, return_exceptions=True)
