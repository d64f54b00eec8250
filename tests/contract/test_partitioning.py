"""Tables become partitions while the version before writes to them, and back, and nothing is
lost.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from compose.failures import door_refusal
from compose.postgres import migrate, roles
from compose.postgres.connections import BoundedPool, asyncpg_pool
from producers.outbox.accept import Accept
from producers.outbox.relay import LOWEST
from tests.factories import new_id
from tests.harness.database import Cluster
from tests.integration.outbox.deliveries import Sender

BEFORE = "0016"
CLAIM = """
    INSERT INTO processed (event_id, consumer) SELECT id, 'c' FROM unnest($1::uuid[]) AS given(id)
        ORDER BY id
    ON CONFLICT DO NOTHING RETURNING event_id
"""
# What the sweeper of the version before says; its rows' places are one row's in a whole table only.
EXPIRE = """
    DELETE FROM processed
    WHERE ctid = ANY(ARRAY(SELECT ctid FROM processed WHERE event_id < $1 ORDER BY event_id
        LIMIT 1000))
"""
CONFIRM = "DELETE FROM outbox WHERE seq = ANY($1::bigint[])"
PLACES = "SELECT DISTINCT tableoid::regclass::text AS place FROM {}"


@pytest.fixture
async def earlier(cluster: Cluster) -> AsyncIterator[str]:
    """The login's URL of a database as the version before has left it."""
    url = cluster.url(f"earlier{uuid4().hex}")
    await roles.ensure(cluster.superuser_url, url)
    await asyncio.to_thread(migrate.upgrade, url, BEFORE)
    yield url
    admin = await asyncpg.connect(cluster.superuser_url)
    await admin.execute(f"DROP DATABASE {urlsplit(url).path.lstrip('/')} WITH (FORCE)")
    await admin.close()


async def places(connection: asyncpg.Connection, table: str) -> set[str]:
    return {row["place"] for row in await connection.fetch(PLACES.format(table))}


async def accepting(pool: BoundedPool, stop: asyncio.Event) -> set[UUID]:
    """Webhooks, one after the other, by statements that were prepared long ago."""
    accept, sender = Accept(pool, door_refusal), Sender()
    taken: set[UUID] = set()
    numbers = count()
    while not stop.is_set():
        taken.add((await accept(sender.delivery(f"{next(numbers)}"))).event_id)
    return taken


async def relaying(connection: asyncpg.Connection, stop: asyncio.Event) -> list[int]:
    """The seqs in the order in which the relay would send them."""
    sent: list[int] = []
    while True:
        ended = stop.is_set()
        rows = await connection.fetch(LOWEST, 50, 8 << 20)
        sent.extend(row["seq"] for row in rows)
        await connection.execute(CONFIRM, [row["seq"] for row in rows])
        if ended and not rows:
            return sent


async def claiming(connection: asyncpg.Connection, stop: asyncio.Event) -> list[UUID]:
    claimed: list[UUID] = []
    while not stop.is_set():
        ids = [new_id() for _ in range(5)]
        assert {row["event_id"] for row in await connection.fetch(CLAIM, ids)} == set(ids)
        claimed.extend(ids)
    return claimed


@pytest.fixture
async def pipelines(earlier: str) -> AsyncIterator[Iterator[asyncpg.Connection]]:
    """Connections of the pipeline's role, of processes that do not begin anew."""
    made = [
        await asyncpg.connect(earlier, server_settings={"role": "headrace_pipeline"})
        for _ in range(3)
    ]
    yield iter(made)
    for one in made:
        await one.close()


async def test_nothing_is_lost_or_twice_while_tables_become_partitions(
    earlier: str, pipelines: Iterator[asyncpg.Connection]
) -> None:
    stop = asyncio.Event()
    looks = next(pipelines)
    async with (
        asyncpg_pool(earlier, "headrace_pipeline", "accept", 3) as pool,
        asyncio.TaskGroup() as group,
    ):
        doors = [group.create_task(accepting(pool, stop)) for _ in range(3)]
        relay = group.create_task(relaying(next(pipelines), stop))
        consumer = group.create_task(claiming(next(pipelines), stop))
        await asyncio.to_thread(migrate.upgrade, earlier)
        upgraded = await looks.fetchval("SELECT max(seq) FROM events")
        stop.set()
    taken = set().union(*(door.result() for door in doors))
    found = await looks.fetch("SELECT seq, id FROM events ORDER BY seq")
    assert [row["seq"] for row in found] == list(range(1, len(found) + 1)), (
        "a seq was taken twice, or lost"
    )
    assert {row["id"] for row in found} == taken
    assert sorted(relay.result()) == [row["seq"] for row in found]
    assert upgraded > 0
    ids = consumer.result()
    assert await looks.fetch(CLAIM, ids) == [], "what was had before the upgrade is had again"
    assert await places(looks, "events") == {"events_from_0"}
    assert await places(looks, "processed") == {"processed_before"}
    await asyncio.to_thread(migrate.downgrade, earlier, BEFORE)
    assert await looks.fetch("SELECT seq, id FROM events ORDER BY seq") == found
    assert await looks.fetch(CLAIM, ids) == []
    async with asyncpg_pool(earlier, "headrace_pipeline", "accept", 3) as pool:
        await Accept(pool, door_refusal)(Sender().delivery("after"))
    assert await looks.fetchval("SELECT max(seq) FROM events") == len(found) + 1


async def test_the_sweeper_of_the_version_before_removes_nothing_of_another_day(
    earlier: str, pipelines: Iterator[asyncpg.Connection]
) -> None:
    """By place in its table an old row is a young one of another day as well.

    What is kept is kept.
    """
    sweeper = next(pipelines)
    now = datetime.now(UTC)
    old = [new_id(now - timedelta(days=40)) for _ in range(20)]
    await sweeper.fetch(CLAIM, old)
    await asyncio.to_thread(migrate.upgrade, earlier)
    young = [new_id(now + timedelta(days=days)) for days in (0, 2, 3, 90) for _ in range(20)]
    assert len(await sweeper.fetch(CLAIM, young)) == len(young)
    assert len(await places(sweeper, "processed")) == 4
    assert await sweeper.execute(EXPIRE, new_id(now - timedelta(days=35))) == "DELETE 0"
    assert await sweeper.fetch(CLAIM, old + young) == []


async def test_ids_of_a_clock_far_ahead_are_kept_by_the_upgrade(
    earlier: str, pipelines: Iterator[asyncpg.Connection]
) -> None:
    connection = next(pipelines)
    ids = [uuid4() for _ in range(10)] + [new_id(datetime.now(UTC) + timedelta(days=900)), new_id()]
    assert len(await connection.fetch(CLAIM, ids)) == len(ids)
    await asyncio.to_thread(migrate.upgrade, earlier)
    assert await connection.fetch(CLAIM, ids) == []
    assert await places(connection, "processed") == {"processed_before", "processed_default"}


async def test_an_upgrade_that_was_interrupted_is_done_again(
    earlier: str, pipelines: Iterator[asyncpg.Connection]
) -> None:
    """Killed after the end was announced and before the swap: the end of then does not hold."""
    owner = await asyncpg.connect(earlier, server_settings={"role": "headrace_owner"})
    await owner.execute("ALTER TABLE events ADD CONSTRAINT events_bound CHECK (seq < 3) NOT VALID")
    await owner.execute(
        "ALTER TABLE processed ADD CONSTRAINT processed_bound CHECK (event_id < uuidv7()) NOT VALID"
    )
    await owner.close()
    await asyncio.to_thread(migrate.upgrade, earlier)
    assert len(await next(pipelines).fetch(CLAIM, [new_id(), new_id()])) == 2
    async with asyncpg_pool(earlier, "headrace_pipeline", "accept", 3) as pool:
        for number in range(5):
            await Accept(pool, door_refusal)(Sender().delivery(f"{number}"))
