"""Commands against an API that listens."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from typer.testing import CliRunner, Result

from compose.cli import app
from tests.acceptance.world import World
from tests.eventually import eventually


@dataclass(frozen=True)
class Terminal:
    """Runs commands as somebody with the key."""

    environment: dict[str, str]

    async def run(self, *arguments: str, stdin: str | None = None) -> Result:
        """One command."""

        def invoke() -> Result:
            return CliRunner().invoke(
                app, list(arguments), stdin, self.environment, catch_exceptions=False
            )

        return await asyncio.to_thread(invoke)

    async def json(self, *arguments: str) -> Any:
        """What a command prints with --json."""
        result = await self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@asynccontextmanager
async def listening(api: World) -> AsyncIterator[Terminal]:
    """The API on its port, and a terminal whose environment leads to it."""
    where = urlsplit(api.settings.api_url)
    transport: Any = api.transport
    config = uvicorn.Config(
        transport.app,
        host="127.0.0.1",
        port=where.port or 0,
        lifespan="off",
        log_config=None,
        ws="none",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    key = api.client.headers["authorization"].removeprefix("Bearer ")
    yield Terminal(
        {"HEADRACE_API_URL": api.settings.api_url, "HEADRACE_API_KEY": key, "COLUMNS": "200"}
    )
    server.should_exit = True
    await serving
