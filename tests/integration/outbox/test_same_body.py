"""A body without an id counts once within ten minutes of the one that counted last, whatever the
clock shows.
"""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import asyncpg

from compose.failures import door_refusal
from compose.postgres.connections import BoundedPool, asyncpg_pool
from producers.outbox.accept import Accept, Acceptance
from tests.integration.outbox.deliveries import Sender
from tests.integration.outbox.test_duplicates import counts

MARK = datetime(2026, 3, 2, 9, 10, tzinfo=UTC)
assert MARK.timestamp() % 600 == 0


def after(seconds: float) -> datetime:
    """So long after a moment at which a window of ten minutes would begin."""
    return MARK + timedelta(seconds=seconds)


async def test_two_seconds_are_within_ten_minutes(
    accept: Accept, behind: asyncpg.Connection
) -> None:
    sender = Sender()

    first = await accept(sender.unnamed(b"{}", after(-1)))
    second = await accept(sender.unnamed(b"{}", after(1)))
    elsewhere = await accept(Sender().unnamed(b"{}", after(1)))
    other = await accept(sender.unnamed(b"[]", after(1)))

    assert (first.duplicate, elsewhere.duplicate, other.duplicate) == (False, False, False)
    assert (second.duplicate, second.same_body) == (True, True)
    assert (second.event_id, second.request_id) == (first.event_id, first.request_id)
    assert (await counts(behind))["events"] == 3
    repeats = await behind.fetch("SELECT request_id FROM request_repeats")
    assert [row["request_id"] for row in repeats] == [first.request_id]


async def test_it_counts_again_ten_minutes_after_it_counted(
    accept: Accept, behind: asyncpg.Connection
) -> None:
    sender = Sender()
    seconds = (0, 300, 599.999, 600, 601, 1199, 1200, 9000, 8000, 4000)

    answers = [await accept(sender.unnamed(b"{}", after(one))) for one in seconds]

    # The last: a clock that was put back for longer does not make it wait.
    again = [False, True, True, False, True, True, False, False, False, False]
    assert [one.duplicate for one in answers] == again
    counted = [one.event_id for one in answers if not one.duplicate]
    assert len(set(counted)) == len(counted)
    assert answers[2].event_id == answers[0].event_id
    assert answers[5].event_id == answers[4].event_id == answers[3].event_id
    assert answers[5].request_id == answers[3].request_id
    assert await counts(behind) == {
        "events": 6,
        "requests": 6,
        "inbox_keys": 1,
        "outbox": 6,
    }


async def test_within_one_batch_the_first_counts(
    pool: BoundedPool, behind: asyncpg.Connection
) -> None:
    sender = Sender()
    accept = Accept(pool, door_refusal, writers=1)
    await accept(sender.unnamed(b"1", after(-700)))
    # The only writer is kept busy, so that all of what follows is in one batch.
    busy = asyncio.create_task(accept(sender.delivery("busy")))
    given: list[Acceptance] = []
    for number in range(10):
        given += [sender.unnamed(b"1", after(number)), sender.unnamed(b"2", after(number))]
        given.append(sender.delivery(f"{number % 2}"))
    sent = [asyncio.create_task(accept(one)) for one in given]
    await busy
    answers = await asyncio.gather(*sent)

    assert [one.duplicate for one in answers] == [False] * 3 + [True, True, False] + [True] * 24
    assert {one.event_id for one in answers[0::3]} == {given[0].entry.id}
    assert {one.event_id for one in answers[1::3]} == {given[1].entry.id}
    assert await behind.fetchval("SELECT count(*) FROM request_repeats") == 26


async def test_two_hundred_at_once_at_two_doors_count_once(
    database: str, accept: Accept, behind: asyncpg.Connection
) -> None:
    sender = Sender()
    old = await accept(sender.unnamed(b"{}", after(-601)))
    async with asyncpg_pool(database, "headrace_pipeline", "other accept", 6) as connections:
        other = Accept(connections, door_refusal)
        answers = await asyncio.gather(
            *((accept, other)[n % 2](sender.unnamed(b"{}", after(n % 3))) for n in range(200))
        )
        await other.drain()

    assert sorted(one.duplicate for one in answers) == [False] + [True] * 199
    counted = {(one.event_id, one.request_id) for one in answers}
    assert len(counted) == 1
    assert (old.event_id, old.request_id) not in counted
    assert (await counts(behind))["events"] == 2


async def test_two_doors_with_shuffled_bodies_never_deadlock(
    database: str, accept: Accept, behind: asyncpg.Connection
) -> None:
    chance = random.Random(7)
    senders = [Sender() for _ in range(3)]
    async with asyncpg_pool(database, "headrace_pipeline", "other accept", 6) as connections:
        other = Accept(connections, door_refusal)
        for number in range(60):
            # Each round all bodies count again, beside ids that count for good.
            given = [(sender, one) for sender in senders for one in range(8)]
            sent = []
            for door in (accept, other):
                chance.shuffle(given)
                sent += [
                    door(sender.unnamed(b"%d" % n, after(700 * number))) for sender, n in given
                ]
                sent += [door(sender.delivery(f"{number}-{n}")) for sender, n in given]
            answers = await asyncio.gather(*sent)
            assert sum(not one.duplicate for one in answers) == 2 * len(given)
        await other.drain()
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await behind.fetchval(deadlocks) == 0


def by_the_release_before(sender: Sender, body: bytes, at: datetime) -> Acceptance:
    """A delivery as a process of the release before counts it."""
    one = sender.unnamed(body, at)
    assert one.claim is not None
    key = one.claim.former_keys[0]
    return one._replace(
        claim=one.claim._replace(key_hash=key, counts_again_seconds=0, former_keys=())
    )


async def test_what_the_release_before_counted_is_not_counted_again(accept: Accept) -> None:
    sender = Sender()
    first = by_the_release_before(sender, b"{}", after(-1))
    old = by_the_release_before(sender, b"[]", after(-1))
    assert not any([(await accept(one)).duplicate for one in (first, old)])

    again = await accept(sender.unnamed(b"{}", after(1)))
    assert (again.duplicate, again.event_id) == (True, first.entry.id)
    assert (await accept(sender.unnamed(b"{}", after(598)))).duplicate
    assert not (await accept(sender.unnamed(b"{}", after(599)))).duplicate
    counted = await accept(sender.unnamed(b"[]", after(599)))
    assert (counted.duplicate, counted.event_id == old.entry.id) == (False, False)


async def test_that_lasts_until_ten_minutes_after_the_last_process_of_that_release(
    pool: BoundedPool,
) -> None:
    sender = Sender()
    running = 0.0
    accept = Accept(pool, door_refusal, monotonic=lambda: running)

    async def counted_before(body: bytes, at: float) -> bool:
        nonlocal running
        running = at
        old = await accept(by_the_release_before(sender, body, after(at - 2)))
        new = await accept(sender.unnamed(body, after(at)))
        assert new.duplicate == (new.event_id == old.event_id)
        return new.duplicate

    seen = [await counted_before(b"%d" % at, at) for at in (599, 1190, 1780, 2381, 2390)]
    assert seen == [True, True, True, False, False]
    await accept.drain()
