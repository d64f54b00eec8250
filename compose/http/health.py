"""What an orchestrator, a load balancer and Prometheus ask of the API process; anybody can."""

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from compose.telemetry.meters import meters
from producers.outbox.accept import Accept
from producers.outbox.ports import Connections, Unavailable

TEXT: dict[str, Any] = {"schema": {"type": "string"}}
READY_SECONDS = 5.0
ASK_SECONDS = 1.0
"""How long an answer of the database holds for all who ask."""


class Healthy(BaseModel):
    """The process is well."""

    status: Literal["ok"]


class Answering:
    """Whether the database answers, looked up at most once a second."""

    def __init__(self, pool: Connections) -> None:
        self._pool = pool
        self._asking = asyncio.Lock()
        self._broken: Exception | None = None
        self._until = 0.0

    async def check(self) -> None:
        """Raise Unavailable if it did not answer when it was asked last."""
        async with self._asking:
            loop = asyncio.get_running_loop()
            if loop.time() >= self._until:
                self._broken = await self._ask()
                self._until = loop.time() + ASK_SECONDS
            if self._broken is not None:
                raise Unavailable from self._broken

    async def _ask(self) -> Exception | None:
        try:
            async with asyncio.timeout(READY_SECONDS), self._pool.acquire() as connection:
                await connection.fetch("SELECT 1")
        except Exception as error:  # noqa: BLE001 - whatever it is, the process cannot accept
            return error
        return None


def health(pool: Connections, accept: Accept) -> APIRouter:
    """The routes of the liveness and readiness checks."""
    router = APIRouter(tags=["operations"])
    answering = Answering(pool)

    @router.get("/healthz", responses={200: {"model": Healthy}})
    async def alive() -> dict[str, str]:
        """The process answers requests."""
        return {"status": "ok"}

    @router.get("/readyz", responses={200: {"model": Healthy}})
    async def ready() -> dict[str, str]:
        """The process can accept: the database answers, no webhook or command waits for over 5
        s.
        """
        if accept.oldest_seconds > READY_SECONDS:
            raise Unavailable
        await answering.check()
        return {"status": "ok"}

    @router.get(
        "/metrics", response_class=Response, responses={200: {"content": {"text/plain": TEXT}}}
    )
    def metrics() -> Response:
        """What this process measures, as Prometheus reads it."""
        return Response(meters().text(), media_type=CONTENT_TYPE_LATEST)

    return router
