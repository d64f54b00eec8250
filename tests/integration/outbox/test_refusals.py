"""Content that Postgres refuses, clients that leave, connections that die: each is answered for
itself.
"""

import asyncio

import asyncpg
import pytest

from compose.postgres.connections import BoundedPool
from producers.outbox.accept import Accept
from producers.outbox.ports import NotStorable, Unavailable
from tests.eventually import eventually
from tests.integration.outbox.deliveries import Sender

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
    "current_database()"
)
KILL = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()
        AND application_name = 'headrace accept'
"""


async def waiting(behind: asyncpg.Connection, at_least: int = 1) -> None:
    """Until so many statements hang on a lock."""

    async def count() -> int:
        await behind.execute(
            "SELECT pg_stat_clear_snapshot()"
        )  # or a transaction sees the same picture for ever
        return int(await behind.fetchval(WAITING))

    await eventually(count, lambda found: found >= at_least, seconds=8)


@pytest.mark.parametrize("place", [0, 17, 39])
async def test_one_unstorable_delivery_is_refused_alone(
    accept: Accept, behind: asyncpg.Connection, place: int
) -> None:
    sender = Sender()
    sent = [sender.delivery(f"msg_{number}") for number in range(40)]
    sent[place] = sender.unstorable("bad")

    answers = await asyncio.gather(*map(accept, sent), return_exceptions=True)

    assert [index for index, answer in enumerate(answers) if isinstance(answer, NotStorable)] == [
        place
    ]
    assert sum(isinstance(answer, BaseException) for answer in answers) == 1
    assert await behind.fetchval("SELECT count(*) FROM events") == 39
    assert await behind.fetchval("SELECT count(*) FROM outbox") == 39


async def test_many_unstorable_ones_are_refused_and_nothing_else(
    accept: Accept, behind: asyncpg.Connection
) -> None:
    """Among them one too large for a record, one with a lone surrogate, and duplicates of good
    ones.
    """
    sender = Sender()
    good = [sender.delivery(f"msg_{number % 20}") for number in range(60)]
    large, odd = sender.delivery("large"), sender.delivery("odd")
    assert odd.claim is not None
    bad = [
        sender.unstorable("nul"),
        large._replace(entry=large.entry._replace(value=b"x" * 921_601)),
        odd._replace(claim=odd.claim._replace(external_id="\ud800")),
    ]
    mixed = [*good[:20], bad[0], *good[20:40], bad[1], *good[40:], bad[2]]

    answers = await asyncio.gather(*map(accept, mixed), return_exceptions=True)

    refused = [
        one for one, answer in zip(mixed, answers, strict=True) if isinstance(answer, NotStorable)
    ]
    assert refused == bad
    assert sum(isinstance(answer, BaseException) for answer in answers) == 3
    assert await behind.fetchval("SELECT count(*) FROM events") == 20
    assert await behind.fetchval("SELECT count(*) FROM requests") == 20


async def test_a_client_that_leaves_does_not_take_the_batch_along(
    accept: Accept, behind: asyncpg.Connection
) -> None:
    sender = Sender()
    async with behind.transaction():
        await behind.execute("LOCK TABLE inbox_keys IN EXCLUSIVE MODE")
        sent = [
            asyncio.create_task(accept(sender.delivery(f"msg_{number}"))) for number in range(30)
        ]
        await waiting(behind)
        for leaving in sent[::2]:
            leaving.cancel()
        await asyncio.wait(sent[::2])

    stayed = await asyncio.gather(*sent[1::2])

    assert all(task.cancelled() for task in sent[::2])
    assert not any(answer.duplicate for answer in stayed)
    await accept.drain()
    assert await behind.fetchval("SELECT count(*) FROM events") == 30


async def test_a_killed_connection_is_told_and_a_retry_is_stored_once(
    accept: Accept, behind: asyncpg.Connection
) -> None:
    """The statement is under way when its backend dies: nobody gets a 202, nobody waits for
    ever.
    """
    sender = Sender()
    async with behind.transaction():
        await behind.execute("LOCK TABLE events IN EXCLUSIVE MODE")
        first = [
            asyncio.create_task(accept(sender.delivery(f"msg_{number}"))) for number in range(32)
        ]
        await waiting(behind, 2)  # both writers, half of them each
        later = [
            asyncio.create_task(accept(sender.delivery(f"msg_{number}")))
            for number in range(16, 80)
        ]
        assert len(await behind.fetch(KILL)) == 2
        refused = await asyncio.gather(*first, return_exceptions=True)
    taken = await asyncio.gather(*later)

    assert {type(one) for one in refused} == {Unavailable}
    assert not any(
        one.duplicate for one in taken
    )  # they waited behind, and went in on new connections
    assert await behind.fetchval("SELECT count(*) FROM events") == 64

    again = await asyncio.gather(
        *(accept(sender.delivery(f"msg_{number}")) for number in range(80))
    )

    assert await behind.fetchval("SELECT count(*) FROM events") == 80
    assert [one.duplicate for one in again] == [False] * 16 + [True] * 64


async def test_a_database_that_takes_no_connection_is_told(
    accept: Accept, pool: BoundedPool
) -> None:
    await pool.close()

    with pytest.raises(Unavailable):
        await accept(Sender().delivery("msg_1"))
