"""The API as it is run: a process of its own, uvicorn on a real socket, and a log that is looked
into.
"""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from compose.bootstrap import create_key
from compose.settings import PREFIX, Settings
from tests.chaos.live_stack import COMMAND, environment
from tests.declared import compared
from tests.eventually import eventually

MOST_CONNECTIONS = 300
UNFINISHED_BYTES = 16 << 20


@dataclass(frozen=True)
class Served:
    """A running API, the key of one tenant, and where it logs."""

    url: str
    key: str
    log: Path
    settings: Settings
    pid: int

    def resident_bytes(self) -> int:
        """Memory that the process holds."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) << 10

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        where = urlsplit(self.url)
        return where.hostname or "", where.port or 0

    def connect(self) -> socket.socket:
        """A connection of one's own."""
        return socket.create_connection(self.address, timeout=10)

    def client(self) -> httpx.AsyncClient:
        """A client of the tenant."""
        return httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=120,
            event_hooks={"response": [compared()]},
        )


@pytest.fixture
def body_seconds() -> str:
    """How long a sender may take over a request."""
    return "1"


@pytest.fixture
async def served(
    database_settings: Settings, tmp_path: Path, body_seconds: str
) -> AsyncIterator[Served]:
    """`headrace api`.

    At the end it has to be alive still, to stop when it is told, and to have had no error.
    """
    _, key = await create_key(database_settings, "first", "test")
    settings = {
        "POSTGRES_URL": database_settings.postgres_url,
        "SECRET_KEYS": database_settings.secret_keys,
    }
    given = {
        PREFIX + name: secret.get_secret_value()
        for name, secret in settings.items()
        if secret is not None
    }
    given |= {
        PREFIX + "DATA_DIR": str(database_settings.data_dir),
        PREFIX + "OBJECT_STORE": database_settings.object_store,
        PREFIX + "API_URL": database_settings.api_url,
        PREFIX + "WEBHOOK_BODY_SECONDS": body_seconds,
        PREFIX + "REQUEST_HEAD_SECONDS": body_seconds,
        PREFIX + "REQUEST_BODY_SECONDS": body_seconds,
        PREFIX + "ACCEPT_SECONDS": "60",
        PREFIX + "API_STATEMENT_SECONDS": "60",
        PREFIX + "MAX_CONNECTIONS": str(MOST_CONNECTIONS),
        PREFIX + "MAX_UNFINISHED_BYTES": str(UNFINISHED_BYTES),
    }
    log = tmp_path / "api.log"
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, "api", env=environment(**given), stdout=out, stderr=out
        )
    one = Served(database_settings.api_url, key, log, database_settings, process.pid)
    try:
        async with one.client() as client:
            await eventually(lambda: _ready(client), seconds=90)
        yield one
        assert process.returncode is None, log.read_text()
        process.send_signal(signal.SIGTERM)
        ended = await asyncio.wait_for(process.wait(), 90)
        assert ended in (0, -signal.SIGTERM), (
            log.read_text()
        )  # uvicorn raises the signal once more when all is done
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False
