"""The same delivery many times at once, at one door and at two: one event, one request, one
answer.
"""

import asyncio
import random
from hashlib import sha256

import asyncpg
import pytest

from compose.failures import door_refusal
from compose.postgres.connections import BoundedPool, asyncpg_pool
from producers.outbox.accept import Accept
from tests.integration.outbox.deliveries import Sender

ROUNDS = 300


async def counts(behind: asyncpg.Connection) -> dict[str, int]:
    """How many rows every table of the door has."""
    tables = ("events", "requests", "inbox_keys", "outbox")
    return {table: await behind.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


@pytest.mark.parametrize("times", [50, 200])
async def test_concurrent_duplicates_are_one_event(
    accept: Accept, behind: asyncpg.Connection, times: int
) -> None:
    sender = Sender()

    answers = await asyncio.gather(
        *(accept(sender.delivery("msg_1", b'{"a":1}')) for _ in range(times))
    )

    assert await counts(behind) == {"events": 1, "requests": 1, "inbox_keys": 1, "outbox": 1}
    assert len({(one.event_id, one.request_id) for one in answers}) == 1
    assert sorted(one.duplicate for one in answers) == [False] + [True] * (times - 1)
    assert all(one.same_body for one in answers)
    row = await behind.fetchrow(
        "SELECT e.id, r.id AS request_id FROM events e JOIN requests r ON r.event_id = e.id"
    )
    assert row is not None
    assert (row["id"], row["request_id"]) == (answers[0].event_id, answers[0].request_id)


async def test_the_same_id_with_another_body_is_told(
    accept: Accept, behind: asyncpg.Connection
) -> None:
    sender = Sender()

    first = await accept(sender.delivery("msg_1", b'{"a":1}'))
    other = await accept(sender.delivery("msg_1", b'{"a":2}'))
    elsewhere = await accept(Sender().delivery("msg_1", b'{"a":2}'))

    assert (first.duplicate, first.same_body) == (False, True)
    assert (other.duplicate, other.same_body, other.event_id) == (True, False, first.event_id)
    assert elsewhere.duplicate is False
    hashes = {
        bytes(row["body_hash"]) for row in await behind.fetch("SELECT body_hash FROM requests")
    }
    assert hashes == {sha256(b'{"a":1}').digest(), sha256(b'{"a":2}').digest()}
    assert await behind.fetchval("SELECT same_body FROM request_repeats") is False
    assert (await counts(behind))["events"] == 2


async def test_the_first_of_two_bodies_in_one_batch_counts(
    pool: BoundedPool, behind: asyncpg.Connection
) -> None:
    """Within a statement too: what came first is stored, whatever the sort does with equal keys."""
    sender = Sender()
    accept = Accept(pool, door_refusal, writers=1)
    # The only writer is kept busy, so that all of what follows stands in one batch.
    busy = asyncio.create_task(accept(Sender().delivery("busy")))
    sent = [
        asyncio.create_task(accept(sender.delivery(f"msg_{number}", body)))
        for number in range(20)
        for body in (b"1", b"2", b"3")
    ]
    await busy
    answers = await asyncio.gather(*sent)

    assert [answer.duplicate for answer in answers] == [False, True, True] * 20
    assert [answer.same_body for answer in answers] == [True, False, False] * 20
    hashes = await behind.fetch("SELECT body_hash FROM requests WHERE source_id = $1", sender.id)
    assert {bytes(row["body_hash"]) for row in hashes} == {sha256(b"1").digest()}


async def test_two_doors_with_shuffled_duplicates_never_deadlock(
    database: str, accept: Accept, behind: asyncpg.Connection
) -> None:
    """Two API processes get the same ids in different orders, round after round."""
    chance = random.Random(7)
    sources = [Sender() for _ in range(3)]
    kept = 0
    async with asyncpg_pool(database, "headrace_pipeline", "other accept", 6) as connections:
        other = Accept(connections, door_refusal)
        for number in range(ROUNDS):
            ids = [(sender, f"{number}-{one}") for sender in sources for one in range(8)]
            sent = []
            for door in (accept, other):
                chance.shuffle(ids)
                sent += [door(sender.delivery(message)) for sender, message in ids]
            answers = await asyncio.gather(*sent)
            assert len({answer.event_id for answer in answers}) == len(ids)
            kept += sum(not answer.duplicate for answer in answers)
        await other.drain()

    assert kept == ROUNDS * 24
    assert await counts(behind) == dict.fromkeys(
        ("events", "requests", "inbox_keys", "outbox"), kept
    )
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await behind.fetchval(deadlocks) == 0


async def test_requests_sent_one_after_the_other_keep_their_order(
    database: str, accept: Accept, behind: asyncpg.Connection
) -> None:
    """Each source waits for its answer before it sends again, now at one door and now at the
    other.
    """
    senders = [Sender() for _ in range(12)]
    async with asyncpg_pool(database, "headrace_pipeline", "other accept", 6) as connections:
        other = Accept(connections, door_refusal)

        async def talk(sender: Sender) -> list[object]:
            doors = (accept, other)
            return [
                (await doors[number % 2](sender.delivery(f"{number}"))).event_id
                for number in range(40)
            ]

        said = dict(zip(senders, await asyncio.gather(*map(talk, senders)), strict=True))
        await other.drain()

    for sender, ids in said.items():
        rows = await behind.fetch(
            "SELECT id FROM events WHERE aggregate_id = $1 ORDER BY seq", str(sender.id)
        )
        assert [row["id"] for row in rows] == ids
