"""A request that comes in the very turn in which the last writer ends, and one too large for any
record.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from compose.failures import door_refusal
from producers.outbox.accept import Accept, Accepted
from producers.outbox.ports import Statements, TooLarge
from tests.integration.outbox.deliveries import Sender


class Announcing:
    """The pool, with an event for the moment in which a connection is back: the writer's last
    await is behind it.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.returned = asyncio.Event()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Statements]:
        """Borrow one."""
        async with self._pool.acquire() as connection:
            yield connection
        self.returned.set()


async def test_a_request_in_the_turn_in_which_a_writer_ends_is_stored(
    pool: asyncpg.Pool, behind: asyncpg.Connection
) -> None:
    connections = Announcing(pool)
    accept = Accept(connections, door_refusal, writers=1)
    sender = Sender()

    async def in_that_turn() -> Accepted:
        await connections.returned.wait()
        return await accept(sender.delivery("second"))

    second = asyncio.create_task(in_that_turn())
    await accept(sender.delivery("first"))
    async with asyncio.timeout(120):
        await second

    assert await behind.fetchval("SELECT count(*) FROM events") == 2


async def test_what_is_too_large_for_a_record_never_reaches_a_statement(
    accept: Accept, pool: asyncpg.Pool, behind: asyncpg.Connection
) -> None:
    """Its neighbours would be stored one by one, in as many statements as it takes to find it."""
    large = Sender().delivery("large")
    large = large._replace(entry=large.entry._replace(value=b"x" * 921_601))
    await pool.close()  # a statement would say Unavailable

    with pytest.raises(TooLarge):
        await accept(large)

    assert await behind.fetchval("SELECT count(*) FROM events") == 0
