"""What the relay puts aside comes back whole, whoever is first."""

import asyncio

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from producers.outbox.partition_layout import Layout, hold, lift
from schemas.topics import JOBS
from tests.eventually import eventually
from tests.integration.relay.conftest import Connect, connect, connection
from tests.integration.relay.log import numbered, unsent, write

__all__ = ["connect", "connection"]
pytestmark = pytest.mark.foreign("rows that are never sent")
SEQS = [1, 2, 3]


@pytest.fixture
async def layout(pipeline: AsyncEngine, connection: asyncpg.Connection) -> Layout:
    """Three rows of a topic that the relay knows to be held."""
    await write(pipeline, numbered("k", range(3)))
    await hold(connection, JOBS.name, 6, 7, "test")
    found = Layout()
    await found.look(connection)
    assert found.held == {JOBS.name}
    return found


async def test_what_is_parked_comes_back(
    layout: Layout, pipeline: AsyncEngine, connection: asyncpg.Connection
) -> None:
    await layout.park(connection, SEQS)
    assert await unsent(pipeline) == 0
    async with connection.transaction():
        await lift(connection, JOBS.name, 7)
    assert await unsent(pipeline) == 3
    await layout.look(connection)
    assert (layout.held, layout.partitions) == (frozenset(), {JOBS.name: 7})


async def test_a_lift_that_the_relay_has_not_seen(
    layout: Layout, pipeline: AsyncEngine, connection: asyncpg.Connection
) -> None:
    """It parks nothing any more: nobody would bring that back."""
    async with connection.transaction():
        await lift(connection, JOBS.name, 7)
    await layout.park(connection, SEQS)
    assert await unsent(pipeline) == 3


@pytest.mark.parametrize("first", ["park", "lift"])
async def test_both_at_once(
    layout: Layout, pipeline: AsyncEngine, connect: Connect, first: str
) -> None:
    """The second waits for the first to commit; nothing stays aside."""
    slow, other, looking = await connect(), await connect(), await connect()
    async with slow.transaction():
        if first == "park":
            await layout.park(slow, SEQS)
            second = asyncio.create_task(_lift(other))
        else:
            await lift(slow, JOBS.name, 7)
            second = asyncio.create_task(layout.park(other, SEQS))
        waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)"
        await eventually(lambda: looking.fetchval(waiting, other.get_server_pid()))
    await second
    assert await unsent(pipeline) == 3
    assert await looking.fetchval("SELECT count(*) FROM outbox_held") == 0


async def _lift(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await lift(connection, JOBS.name, 7)


async def test_a_hold_that_stands_is_not_begun_again(
    layout: Layout, connection: asyncpg.Connection
) -> None:
    """Its time and that the relay has seen it stay.

    Another number of known partitions changes nothing.
    """
    query = "SELECT held_since, settled, held_for, held_by FROM topic_layouts"
    (before,) = await connection.fetch(query)
    await hold(connection, JOBS.name, 6, 9, "test")
    await hold(connection, JOBS.name, 6, None, "the relay")
    await hold(connection, JOBS.name, 5, 20, "who knows less")
    (after,) = await connection.fetch(query)
    assert tuple(after) == (before["held_since"], True, 9, "test")
    assert layout.held
