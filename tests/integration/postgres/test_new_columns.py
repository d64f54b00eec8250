"""A migration adds a column to every table while processes run: nobody's statement fails."""

from collections import defaultdict

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.settings import Settings
from consumers.work import store as work
from tests.acceptance.world import World, api_only
from tests.integration.consumers.cases import CASES
from tests.integration.consumers.test_the_four import prepared
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed
from tests.integration.work.queue import piece, put

READS = tuple(
    f"/v1/{name}"
    for name in (
        "sources",
        "requests",
        "events",
        "datasets",
        "jobs",
        "models",
        "metric-trends",
        "usage",
        "limits",
        "dead-letters",
        "dead-letters/groups",
        "replays",
        "streams",
    )
)
TABLES = """
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND relname <> 'alembic_version'
"""


async def widen(database: str) -> None:
    """Add a column to every table, as the owner does it."""
    owner = await asyncpg.connect(database, server_settings={"role": "headrace_owner"})
    for row in await owner.fetch(TABLES):
        await owner.execute(f"ALTER TABLE {row[0]} ADD COLUMN came_later text")
    await owner.close()


async def used(world: World, name: str) -> dict[str, int]:
    """The status of each read, of a webhook, of a command and of a change of configuration."""
    found = {path: (await world.client.get(path)).status_code for path in READS}
    source = await world.source(name)
    found["webhook"] = (await world.send(source, b"{}", "m")).status_code
    found["repeated"] = (await world.send(source, b"{}", "m")).status_code
    found["change"] = (
        await world.client.patch(f"/v1/sources/{source['id']}", json={"paused": True})
    ).status_code
    headers = {"content-type": "text/csv", "idempotency-key": name}
    sent = await world.client.post(
        "/v1/datasets", params={"name": name}, content=b"a,b\n1,2\n", headers=headers
    )
    found["command"] = sent.status_code
    return found


async def test_no_client_sees_it(database: str, database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        before = await used(world, "before")
        assert set(before.values()) <= {200, 202}
        await widen(database)
        assert await used(world, "after") == before


async def test_no_consumer_and_no_worker_sees_it(
    database: str, bench: Bench, pipeline: AsyncEngine
) -> None:
    feeds: defaultdict[str, Feed] = defaultdict(Feed)
    for column in (None, "added"):
        if column is not None:
            await widen(database)
        for case in CASES:
            (event,) = await prepared(bench, case)
            assert await bench.runner(case.consumer)(feeds[case.consumer].deliver(event)) is True
        one = piece(event.tenantid)
        await put(pipeline, one)
        async with pipeline.begin() as tx:
            found = await work.claim(tx, one.queue, 60)
            assert found is not None
            assert await work.heartbeat(tx, found, 60) is None
            await work.fence(tx, found)
            await work.done(tx, found)
    assert await bench.value("SELECT count(*) FROM dead_letters") == 0
