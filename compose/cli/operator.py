"""The operator's own dead letters and replays: no key opens them, so these commands go to the
database itself.
"""

import asyncio
import getpass
from functools import partial
from uuid import UUID

import httpx
from fastapi import Request

from compose.cli.client import Client
from compose.cli.connection import operated
from compose.clock import database_clock
from compose.http.app import Traced, application
from compose.postgres.connections import engine
from compose.postgres.tenant_transaction import tenant_transaction
from compose.processes.replays import requests
from compose.settings import Settings
from consumers.dead_letters import http as dead_letters
from consumers.dead_letters.dead_letter import OPERATOR
from consumers.registry import BY_NAME
from consumers.replays import http as replays
from producers.access.principal import Principal


def operating() -> Client:
    """A client of the operator's part of the API, served in this process on the database of the
    settings or the stack.

    Whoever can log in to the database may do this; the rows keep the name of the user that did.
    """
    settings = operated()
    return Client(
        "http://operator", None, _InProcess(settings.postgres_url.get_secret_value(), settings)
    )


class _InProcess(httpx.BaseTransport):
    """Answers requests without a server, one after the other, in a loop of its own."""

    def __init__(self, postgres_url: str, settings: Settings) -> None:
        self._runner = asyncio.Runner()
        self._engine = engine(postgres_url, "headrace_api", "operator", pool_size=1)
        self._settings = settings
        self._app: httpx.ASGITransport | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request with its whole body, without a network."""
        return self._runner.run(self._answer(request))

    def close(self) -> None:
        """Close the connections to the database and the event loop."""
        self._runner.run(self._engine.dispose())
        self._runner.close()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self._app = self._app or await self._serve()
        content = request.read()
        asked = httpx.Request(request.method, request.url, headers=request.headers, content=content)
        answer = await self._app.handle_async_request(asked)
        return httpx.Response(
            answer.status_code, headers=answer.headers, content=await answer.aread()
        )

    async def _serve(self) -> httpx.ASGITransport:
        async def authenticate(_: Request) -> Principal:
            return Principal(OPERATOR, UUID(int=0), f"{getpass.getuser()}, at the database")

        transactions = partial(tenant_transaction, self._engine)
        clock = await database_clock(self._engine)
        routers = [
            dead_letters.routes(authenticate, transactions, self._settings.kafka_topic_prefix),
            replays.routes(authenticate, transactions, requests, clock.new_id, BY_NAME),
        ]
        app = application(routers)
        return httpx.ASGITransport(app=Traced(app, app))
