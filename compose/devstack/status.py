"""What a running stack says about itself: run/status.json, and run/pids.json to recognise its
processes by.
"""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import psutil

from compose.devstack.secrets_file import write_private

State = Literal["starting", "running", "stopping", "stopped"]
ProcessState = Literal["starting", "running", "restarting", "stopped"]
# The clock's correction may move a creation time by a little; a reused number differs by far more.
CREATED_WITHIN_SECONDS = 1.0


@dataclass(frozen=True)
class ProcessStatus:
    """One supervised process; `pid` is None while it has none."""

    name: str
    pid: int | None = None
    state: ProcessState = "starting"
    restarts: int = 0


@dataclass(frozen=True)
class StackStatus:
    """What run/status.json holds; the Postgres URL holds a password, so the file is 0600.

    `problems` are the steps of the start that failed and that the API does without.
    """

    state: State
    supervisor_pid: int | None = None
    api_url: str | None = None
    kafka: str | None = None
    postgres_url: str | None = None
    object_store: str | None = None
    data_dir: str | None = None
    processes: tuple[ProcessStatus, ...] = ()
    problems: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The status as one indented JSON object."""
        return json.dumps(asdict(self), indent=2)


@dataclass(frozen=True)
class Identity:
    """A process as the kernel knows it: a number alone may be reused."""

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The living process with this number, None when there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def process(self) -> psutil.Process | None:
        """The same process, if it still lives; None for a zombie too."""
        try:
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.created) < CREATED_WITHIN_SECONDS
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True)
class ChildIdentity(Identity):
    """A supervised process and the signal that ends it in order."""

    name: str = ""
    signal: int = 15


@dataclass(frozen=True)
class Pids:
    """Whose processes these are; children in the order of their start."""

    supervisor: Identity
    children: tuple[ChildIdentity, ...] = field(default=())


@dataclass(frozen=True)
class RunFiles:
    """The run directory of a data directory."""

    data_dir: Path

    @property
    def directory(self) -> Path:
        """Where both files are."""
        return self.data_dir / "run"

    @property
    def lock(self) -> Path:
        """Locked by the supervisor for as long as it lives."""
        return self.directory / "supervisor.lock"

    @property
    def logs(self) -> Path:
        """One log for each process."""
        return self.data_dir / "logs"

    def write_status(self, status: StackStatus) -> None:
        """Replace run/status.json in one step."""
        write_private(self._made / "status.json", status.to_json())

    def write_pids(self, pids: Pids) -> None:
        """Replace run/pids.json in one step."""
        write_private(self._made / "pids.json", json.dumps(asdict(pids), indent=2))

    def pids(self) -> Pids | None:
        """What the last supervisor wrote, alive or not."""
        try:
            found = json.loads((self.directory / "pids.json").read_text(encoding="utf-8"))
            children = tuple(ChildIdentity(**child) for child in found["children"])
            return Pids(Identity(**found["supervisor"]), children)
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None

    def supervisor(self) -> psutil.Process | None:
        """The living supervisor of this data directory."""
        pids = self.pids()
        return None if pids is None else pids.supervisor.process()

    def status(self) -> StackStatus:
        """What the stack says now; `stopped` when its supervisor is gone, however it went."""
        try:
            found = json.loads((self.directory / "status.json").read_text(encoding="utf-8"))
            processes = tuple(ProcessStatus(**process) for process in found.pop("processes"))
            problems = tuple(found.pop("problems", ()))
            status = StackStatus(**found, processes=processes, problems=problems)
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return StackStatus("stopped", data_dir=str(self.data_dir))
        supervisor = self.supervisor()
        # The number is compared too: a new supervisor may not have replaced the file of a killed
        # one yet.
        if status.state == "stopped" or (
            supervisor is not None and supervisor.pid == status.supervisor_pid
        ):
            return status
        gone = tuple(replace(process, pid=None, state="stopped") for process in processes)
        return replace(status, state="stopped", supervisor_pid=None, processes=gone)

    @property
    def _made(self) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        return self.directory


def own_identity() -> Identity:
    """The identity of the current process."""
    return Identity(os.getpid(), psutil.Process().create_time())
