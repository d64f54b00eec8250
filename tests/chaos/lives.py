"""Our processes as a cluster runs them, each killed at one crash point after the other and
started again.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from compose.devstack.commands import PROCESSES, Process
from compose.devstack.subprocesses import spawn_options, tail
from compose.settings import PREFIX, Settings
from tests.chaos.live_stack import COMMAND, environment


@dataclass
class Lives:
    """One process: a life for each crash point, `name:n`, and one without."""

    process: Process
    environment: dict[str, str]
    log: Path
    points: Sequence[str]
    hit: list[str] = field(default_factory=list)

    async def live(self) -> None:
        """Live until cancelled; AssertionError when a life ends in another way than at its
        point.
        """
        with self.log.open("ab") as output:
            for point in (*self.points, None):
                armed = {"CRASH_AT": point} if point else {}
                child = await asyncio.create_subprocess_exec(
                    *COMMAND,
                    *self.process.arguments,
                    env=self.environment | armed,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    **spawn_options(signal.SIGTERM),
                )
                try:
                    code = await child.wait()
                finally:
                    if child.returncode is None:
                        child.send_signal(signal.SIGTERM)
                        await child.wait()
                name = (point or "").partition(":")[0]
                said = f"killed at {name}\n" in self.log.read_text(errors="replace")
                end = (
                    f"{self.process.name} ended with {code} instead of being killed at "
                    f"{point}:\n{tail(self.log)}"
                )
                assert (bool(point), code, said) == (True, -signal.SIGKILL, True), end
                self.hit.append(name)


def variables(settings: Settings) -> dict[str, str]:
    """The environment in which a process finds these settings."""
    given = {name: getattr(settings, name) for name in settings.model_fields_set}
    plain = {
        n: v.get_secret_value() if isinstance(v, SecretStr) else str(v) for n, v in given.items()
    }
    return environment(**{PREFIX + name.upper(): value for name, value in plain.items()})


@asynccontextmanager
async def killed_at(
    points: Mapping[str, Sequence[str]],
    settings: Settings,
    logs: Path,
    processes: Sequence[Process] = PROCESSES,
) -> AsyncIterator[dict[str, Lives]]:
    """Every process, with the points (`name:n`) at which it is to die.

    Stopped in order at the end.
    """
    found = variables(settings)
    lives = {
        one.name: Lives(one, found, logs / f"{one.name}.log", points.get(one.name, ()))
        for one in processes
    }
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one.live()) for one in lives.values()]
        try:
            yield lives
        finally:
            for task in tasks:
                task.cancel()
