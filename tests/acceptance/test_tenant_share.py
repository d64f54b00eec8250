"""One tenant's reads, however slow and many, leave the API to the others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from compose.settings import Settings
from tests.acceptance.world import api_only
from tests.eventually import eventually

WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()
    AND application_name = 'headrace api'
"""


@asynccontextmanager
async def locked(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """Nobody can read datasets meanwhile; a connection to look at those who wait."""
    url = settings.postgres_url.get_secret_value()
    holding, looking = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        async with holding.transaction():
            await holding.execute("SET LOCAL ROLE headrace_owner")
            await holding.execute("LOCK TABLE datasets IN ACCESS EXCLUSIVE MODE")
            yield looking
    finally:
        await holding.close()
        await looking.close()


async def test_slow_reads_of_one_tenant_leave_others_theirs(database_settings: Settings) -> None:
    async with api_only(database_settings) as world, await world.another_tenant("second") as second:
        assert (await world.client.get("/v1/datasets")).status_code == 200
        assert (await second.get("/v1/sources")).status_code == 200
        async with asyncio.TaskGroup() as group, locked(database_settings) as database:
            slow = [group.create_task(world.client.get("/v1/datasets")) for _ in range(30)]
            await eventually(lambda: database.fetchval(WAITING), lambda count: count >= 5)

            answers = [await second.get("/v1/sources") for _ in range(5)]

            assert [answer.status_code for answer in answers] == [200] * 5
            assert await database.fetchval(WAITING) <= 5
        assert {task.result().status_code for task in slow} <= {200, 503}
