"""Postgres falls silent: its connections stay open, and no packet comes through.

Nobody waits for ever.
"""

import asyncio
import socket
import time
from dataclasses import dataclass, field

import httpx
from pydantic import SecretStr
from sqlalchemy import text

from compose.postgres.connections import connect, engine
from compose.processes.api import ACQUIRE_SECONDS
from compose.settings import Settings
from tests.acceptance.world import World, api_only, whole
from tests.eventually import eventually
from tests.factories import shipped_csv
from tests.postgres_proxy import postgres_proxy

BOUND_SECONDS = 30.0


@dataclass
class Answers:
    """Statuses and how long each took, of what is asked again and again."""

    world: World
    source: dict[str, str]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    statuses: list[int] = field(default_factory=list)
    slowest: float = 0.0

    async def send(self, name: int) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            await self._timed(self.world.send(self.source, b"{}", f"m{name}-{number}"))

    async def read(self) -> None:
        while not self.stop.is_set():
            await self._timed(self.world.client.get("/v1/sources"))

    async def _timed(self, asked: object) -> None:
        began = time.monotonic()
        async with asyncio.timeout(2 * BOUND_SECONDS):
            answer = await asked  # type: ignore[misc]
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.statuses.append(answer.status_code)


async def test_a_silent_database_is_answered_503_in_time_and_202_again_by_itself(
    database: str, database_settings: Settings
) -> None:
    async with postgres_proxy(database) as (proxy, through):
        settings = database_settings.model_copy(
            update={
                "postgres_url": SecretStr(through),
                "accept_seconds": 3.0,
                "api_statement_seconds": 3.0,
            }
        )
        async with api_only(settings, acquire_seconds=ACQUIRE_SECONDS) as world:
            answers = Answers(world, await world.source("s"))

            async def ready() -> int:
                return (await world.client.get("/readyz")).status_code

            async with asyncio.TaskGroup() as group:
                for number in range(16):
                    group.create_task(answers.send(number))
                for _ in range(4):
                    group.create_task(answers.read())
                await eventually(lambda: _copy(answers.statuses), lambda found: len(found) > 50)
                assert set(answers.statuses) <= {200, 202}
                proxy.silence()
                await eventually(ready, lambda status: status == 503, seconds=BOUND_SECONDS)
                await eventually(
                    lambda: _copy(answers.statuses), lambda found: found.count(503) >= 20
                )
                proxy.is_silent = False
                answers.statuses.clear()
                await eventually(ready, lambda status: status == 200)
                await eventually(
                    lambda: _copy(answers.statuses), lambda found: {200, 202} <= set(found[-40:])
                )
                answers.stop.set()
            assert answers.slowest < BOUND_SECONDS
            assert set(answers.statuses) <= {200, 202, 503}


async def _copy(found: list[int]) -> list[int]:
    return list(found)


async def test_relay_consumers_and_projections_go_on_with_new_connections(
    settings: Settings, database: str
) -> None:
    """What is connected never gets another byte, and the server is told of no end: the relay's
    lock has to lapse.
    """
    async with postgres_proxy(database) as (proxy, through):
        patient = {"statement_seconds": 2.0, "accept_seconds": 2.0, "api_statement_seconds": 2.0}
        bounded = settings.model_copy(update={"postgres_url": SecretStr(through), **patient})
        async with whole(bounded) as world:
            assert (await world.decided(await world.upload("before", shipped_csv("iris"))))[
                "state"
            ] == "validated"
            proxy.silence()
            proxy.is_silent = False

            async def uploaded() -> httpx.Response:
                headers = {"content-type": "text/csv"}
                return await world.client.post(
                    "/v1/datasets",
                    params={"name": "after"},
                    content=shipped_csv("wine"),
                    headers=headers,
                )

            answer = await eventually(uploaded, lambda one: one.status_code == 202)
            assert (await world.decided(answer.json()["id"]))["state"] == "validated"

            async def rows() -> int:
                found = (await world.get("/v1/usage"))["data"]
                return sum(
                    int(float(one["value"])) for one in found if one["meter"] == "dataset_rows"
                )

            await eventually(rows, lambda count: count >= 150 + 178, seconds=60)


async def test_a_pool_keeps_its_connections(database: str) -> None:
    """What is asked before each use finds them well."""
    pool = engine(database, "headrace_pipeline", "test", pool_size=1)
    pids = set()
    for _ in range(3):
        async with pool.begin() as tx:
            pids.add((await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one())
    await pool.dispose()
    assert len(pids) == 1


async def test_lost_packets_end_a_connection_by_themselves(database: str) -> None:
    """Both ends ask the kernel: the client by its socket, the server by its settings."""
    connection = await connect(database, "headrace_pipeline", "test", 5)
    found = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]
    assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
    server = [
        await connection.fetchval(f"SHOW {name}")
        for name in ("tcp_keepalives_idle", "tcp_user_timeout")
    ]
    assert server == ["10", "20000"]
    await connection.close()
