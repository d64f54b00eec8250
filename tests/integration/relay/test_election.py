"""Several relays: one at work, the others waiting, and a successor as soon as its connection is
gone.
"""

import asyncio

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.processes import relay as process
from compose.settings import Settings
from producers.outbox.relay import acquire_leadership
from tests.eventually import eventually
from tests.harness.database import Cluster
from tests.integration.relay.conftest import Connect
from tests.integration.relay.log import first_appearances, numbered, on_kafka, unsent, write

HOLDERS = """
    SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
    WHERE locktype = 'advisory' AND granted AND d.datname = $1
"""


async def test_one_is_elected_and_another_when_it_is_gone(connect: Connect) -> None:
    first, second, third = [await connect() for _ in range(3)]
    never = asyncio.Event()
    await acquire_leadership(first, never)
    waiting = {
        one: asyncio.create_task(acquire_leadership(one, never, every_seconds=0.02))
        for one in (second, third)
    }
    assert not (await asyncio.wait(waiting.values(), timeout=0.3))[0]

    first.terminate()
    done, _ = await asyncio.wait(waiting.values(), timeout=120, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    assert len((await asyncio.wait(waiting.values(), timeout=0.3))[0]) == 1

    (elected,) = [one for one, task in waiting.items() if task in done]
    await elected.close()
    await asyncio.wait_for(asyncio.gather(*waiting.values()), 120)


async def test_one_that_waits_can_be_stopped(connect: Connect) -> None:
    never, stop = asyncio.Event(), asyncio.Event()
    await acquire_leadership(await connect(), never)
    waiting = asyncio.create_task(acquire_leadership(await connect(), stop, every_seconds=0.02))

    stop.set()

    await asyncio.wait_for(waiting, 120)


@pytest.mark.foreign("rows whose bytes nobody looks at: the relay sends what stands in the log")
async def test_three_relays_whose_owner_is_killed_again_and_again(
    settings: Settings, cluster: Cluster, pipeline: AsyncEngine
) -> None:
    """Rows are written all the time.

    Nothing is lost, and each key's first appearances are in order.
    """
    name = settings.postgres_url.get_secret_value().rsplit("/", 1)[1]
    stop = asyncio.Event()
    held: list[int] = []

    async def as_superuser(query: str, given: object) -> list[asyncpg.Record]:
        superuser = await asyncpg.connect(cluster.superuser_url)
        try:
            return list(await superuser.fetch(query, given))
        finally:
            await superuser.close()

    async def holders() -> list[int]:
        return [row["pid"] for row in await as_superuser(HOLDERS, name)]

    async def writer(key: str) -> None:
        for number in range(60):
            await write(pipeline, numbered(key, [number]))

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(process.run(settings, stop))
        try:
            for round_number in range(3):
                (owner,) = await eventually(
                    holders, lambda found: [one for one in found if one not in held]
                )
                held.append(owner)
                await asyncio.gather(
                    *(writer(f"key-{round_number}-{number}") for number in range(5))
                )
                await as_superuser("SELECT pg_terminate_backend($1)", owner)
            await eventually(lambda: unsent(pipeline), lambda count: count == 0)
            await eventually(holders, lambda found: len(found) == 1)
        finally:
            stop.set()

    expected = {
        f"key-{one}-{two}".encode(): list(range(60)) for one in range(3) for two in range(5)
    }
    assert first_appearances(await on_kafka(settings)) == expected
