"""The API process: serves the application until a signal stops it."""

import asyncio
import gc
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from compose.checked_settings import port_of
from compose.http.open_connections import OpenConnections
from compose.http.request_head import bounded
from compose.processes.api import api
from compose.processes.loop_watchdog import watched
from compose.settings import Settings


async def serve(settings: Settings, still_seconds: float = 30.0) -> None:
    """Run the API until a signal stops it; requests in hand are answered first.

    A loop that is blocked for `still_seconds` ends the process, to be started again: it would
    answer nobody.
    """
    with watched(still_seconds):
        await _serve(settings)


async def _serve(settings: Settings) -> None:
    where = urlsplit(settings.api_url)
    stopping = asyncio.Event()
    async with api(settings, stopping) as app:
        config = uvicorn.Config(
            app,
            host=where.hostname or "127.0.0.1",
            port=port_of(settings.api_url),
            http=bounded(
                settings.request_head_seconds,
                OpenConnections(settings.max_connections, settings.max_unfinished_bytes),
            ),
            ws="none",  # a connection that became a WebSocket would leave those bounds
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,  # no address of a client is used
            timeout_graceful_shutdown=15,
        )
        # The routes and models live as long as the process: no collection need walk them.
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)  # what some hundred requests in hand hold is no garbage
        await _Server(config, stopping).serve()


class _Server(uvicorn.Server):
    """Lets those go who wait for something, so that a stop does not wait for them."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping, self._loop = stopping, asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin the orderly stop when a signal arrives."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        super().handle_exit(sig, frame)
