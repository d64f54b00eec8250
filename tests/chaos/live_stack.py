"""A real stack in a data directory of its own, whose processes can be killed one by one."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import httpx
import psutil

from compose.devstack.lifecycle import stop_stack
from compose.devstack.ports import Ports, is_free
from compose.devstack.status import ProcessStatus, RunFiles, StackStatus
from tests.eventually import eventually

COMMAND = (sys.executable, "-P", "-m", "compose.cli")
LEASE_SECONDS = "5"


def environment(**more: str) -> dict[str, str]:
    """Ours without settings of whoever runs the tests."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")
    } | more


@dataclass(frozen=True)
class LiveStack:
    """A running stack, seen from outside."""

    data_dir: Path

    @property
    def status(self) -> StackStatus:
        """What it says of itself now."""
        return RunFiles(self.data_dir).status()

    def process(self, name: str) -> ProcessStatus:
        """One of its processes now."""
        return next(one for one in self.status.processes if one.name == name)

    def pid(self, name: str) -> int:
        """The number of a process that has one."""
        pid = self.process(name).pid
        assert pid is not None, f"{name} is not running"
        return pid

    @property
    def postgres_url(self) -> str:
        """The login's."""
        return self.status.postgres_url or ""

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""
        return self.status.kafka or ""

    @property
    def topic_prefix(self) -> str:
        """It has its Kafka for itself."""
        return ""

    def client(self) -> httpx.AsyncClient:
        """With the key of the first tenant."""
        key = json.loads((self.data_dir / "credentials.json").read_text())["api_key"]
        return httpx.AsyncClient(
            base_url=self.status.api_url or "",
            headers={"Authorization": f"Bearer {key}"},
            timeout=10,
            trust_env=False,
        )

    def children(self, name: str) -> list[psutil.Process]:
        """The processes that one of its processes has started and that live."""
        return psutil.Process(self.pid(name)).children(recursive=True)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to one process."""
        os.kill(self.pid(name), number)

    async def kill(self, name: str) -> None:
        """SIGKILL, then wait until the supervisor has started it again and counted that."""
        before = self.process(name)
        self.signal(name, signal.SIGKILL)

        async def now() -> ProcessStatus:
            return self.process(name)

        def again(one: ProcessStatus) -> bool:
            return (
                one.state == "running"
                and one.pid != before.pid
                and one.restarts == before.restarts + 1
            )

        await eventually(now, again, seconds=60)


def _take_ports(data_dir: Path) -> None:
    """Ports that no other stack tries first and no client is handed: a Kafka that was away wants
    its own back.
    """
    free = (
        port for port in random.SystemRandom().sample(range(20_000, 30_000), 100) if is_free(port)
    )
    data_dir.mkdir(parents=True)
    (data_dir / "ports.json").write_text(json.dumps(asdict(Ports(*islice(free, 4)))))


@contextmanager
def live_stack(data_dir: Path, **more: str) -> Iterator[LiveStack]:
    """Start it as a user does, with `more` settings, and stop it in the end, whatever happened
    to it.
    """
    _take_ports(data_dir)
    subprocess.run(
        [*COMMAND, "up", "--detach", "--json", "--data-dir", str(data_dir)],
        env=environment(HEADRACE_LEASE_SECONDS=LEASE_SECONDS, **more),
        check=True,
        capture_output=True,
        timeout=300,
    )
    try:
        yield LiveStack(data_dir)
    finally:
        stop_stack(data_dir)
