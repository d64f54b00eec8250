"""Sweepers that are killed, that are two, and that work beside an open door."""

import asyncio
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from compose.failures import door_refusal
from compose.postgres.connections import asyncpg_pool
from compose.processes import sweeper as process
from compose.processes.sweeper import AtWork, once
from producers.outbox.accept import Accept, Accepted
from tests.eventually import eventually
from tests.integration.outbox.deliveries import Sender
from tests.integration.sweeper.rows import Rows

MANY = """
    INSERT INTO inbox_keys
    SELECT id, id, int8send(n), '', id, id, false, headrace_clock() - interval '1 hour' +
        make_interval(secs => n)
    FROM generate_series(1, 30000) AS n, gen_random_uuid() AS id
"""
HOLDER = """
    SELECT pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()
"""


async def holders(rows: Rows) -> list[int]:
    return [row["pid"] for row in await rows.db.fetch(HOLDER)]


async def test_one_that_is_killed_in_the_middle_is_followed_by_the_next(rows: Rows) -> None:
    await rows.db.execute(MANY)
    await rows.all_kinds(await rows.move_clock(40), 2)
    environment = {
        **os.environ,
        "HEADRACE_POSTGRES_URL": rows.settings.postgres_url.get_secret_value(),
        "HEADRACE_OBJECT_STORE": rows.settings.object_store,
        "HEADRACE_DATA_DIR": str(rows.settings.data_dir),
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "compose.cli", "sweeper", env=environment
    )

    async def left() -> int:
        return (await rows.counts())["inbox_keys"]

    try:
        await eventually(left, lambda count: count < 30002)
    finally:
        child.send_signal(signal.SIGKILL)
        await child.wait()
    assert await left() > 2, "it was killed too late to show anything"
    await eventually(lambda: holders(rows), lambda found: not found)
    await once(rows.settings, dry_run=False)
    assert set((await rows.counts()).values()) == {2}


async def test_of_two_one_works_and_the_other_takes_over(rows: Rows, postgres: str) -> None:
    await rows.move_clock(40)
    stop = asyncio.Event()
    settings = rows.settings.model_copy(update={"sweep_seconds": 0.2})
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(process.run(settings, stop))
        try:
            (first,) = await eventually(lambda: holders(rows))
            with pytest.raises(AtWork):
                await once(settings, dry_run=False)
            await rows.db.execute(MANY.replace("- interval '1 hour'", "- interval '39 days'"))
            superuser = await asyncpg.connect(postgres)
            await superuser.execute("SELECT pg_terminate_backend($1)", first)
            await superuser.close()
            await eventually(lambda: holders(rows), lambda found: found and found != [first])
            await eventually(rows.counts, lambda counts: counts["inbox_keys"] == 0)
        finally:
            stop.set()


async def test_the_door_loses_nothing_while_days_are_made_and_dropped(rows: Rows) -> None:
    """The clock runs a day ahead with every round, so that days are made, taken out and dropped
    all the time.
    """
    settings = rows.settings.model_copy(update={"partitions_ahead_days": 2})
    stop = asyncio.Event()
    slowest = 0.0

    async def sender(accept: Accept, number: int) -> list[Accepted]:
        nonlocal slowest
        answers: list[Accepted] = []
        one = Sender()
        while not stop.is_set():
            began = time.monotonic()
            answers.append(await accept(one.delivery(f"{number}-{len(answers)}")))
            slowest = max(slowest, time.monotonic() - began)
        return answers

    async with asyncpg_pool(
        settings.postgres_url.get_secret_value(), "headrace_pipeline", "accept", 3
    ) as pool:
        accept = Accept(pool, door_refusal)
        sending = [asyncio.create_task(sender(accept, number)) for number in range(8)]
        try:
            for days in range(1, 8):
                await rows.request(datetime.now(UTC) + timedelta(days=days))
                await rows.move_clock(
                    days + 36.5
                )  # today's own partition is dropped while it is written to
                await once(settings, dry_run=False)
        finally:
            stop.set()
            answers = [answer for sent in await asyncio.gather(*sending) for answer in sent]
    assert len(answers) > 100
    events = {row["id"] for row in await rows.db.fetch("SELECT id FROM events")}
    assert {one.event_id for one in answers} == events
    assert slowest < 5, f"an accept took {slowest:.1f} s"


async def test_an_accept_waits_only_briefly_for_a_day_that_cannot_be_taken_out(rows: Rows) -> None:
    await rows.request(datetime.now(UTC))
    await rows.move_clock(40)
    url = rows.settings.postgres_url.get_secret_value()
    async with asyncpg_pool(url, "headrace_pipeline", "accept", 3) as pool, rows.db.transaction():
        await rows.db.fetch("SELECT * FROM requests")  # a reader who takes long
        accept, sender = Accept(pool, door_refusal), Sender()
        await accept(sender.delivery("first"))
        sweeping = asyncio.create_task(once(rows.settings, dry_run=False))
        slowest, number = 0.0, 0
        while not sweeping.done():
            began = time.monotonic()
            await accept(sender.delivery(f"{number}"))
            slowest, number = max(slowest, time.monotonic() - began), number + 1
        (held_up,) = [one for one in await sweeping if one.name == "requests"]
    assert "lock timeout" in str(held_up.error)
    assert slowest < 2
