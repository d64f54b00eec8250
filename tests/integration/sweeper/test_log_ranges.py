"""The log's ranges: made ahead of it, and nothing refused where one is missing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import DBAPIError

from compose.failures import door_refusal, is_transient
from compose.postgres.connections import asyncpg_pool, engine
from compose.processes.sweeper import once
from producers.outbox.accept import ACCEPT, Accept, Accepted, _row
from producers.outbox.ranges import SIZE, Ranges
from producers.outbox.relay import LOWEST
from producers.outbox.store import NEWEST
from tests.eventually import eventually
from tests.integration.outbox.deliveries import Sender
from tests.integration.sweeper.rows import Rows

TODAY = datetime.now(UTC).date()
PLACES = (
    "SELECT tableoid::regclass::text AS place, min(seq) AS first, max(seq) AS last FROM "
    "events GROUP BY 1"
)


SHORTER = (
    "ALTER TABLE events DETACH PARTITION events_from_8000000",
    "DROP TABLE events_from_8000000",
    "ALTER TABLE events DETACH PARTITION events_from_0",
    "ALTER TABLE events ATTACH PARTITION events_from_0 FOR VALUES FROM (MINVALUE) TO (11)",
    "ALTER TABLE events DETACH PARTITION events_tail",
    "ALTER TABLE events ATTACH PARTITION events_tail FOR VALUES FROM (11) TO (MAXVALUE)",
)


@pytest.fixture
async def tiny(rows: Rows) -> AsyncIterator[Ranges]:
    """A first range that ends with the tenth event, and to come: ranges of ten, as far as fifty
    ahead.
    """
    for statement in SHORTER:
        await rows.db.execute(statement)
    owner = engine(
        rows.settings.postgres_url.get_secret_value(), "headrace_owner", "test", pool_size=2
    )
    yield Ranges(owner.begin, 5, size=10)
    await owner.dispose()


async def accept(rows: Rows, count: int) -> None:
    """The door's own statement, by its role."""
    sender = Sender()
    async with rows.db.transaction():
        await rows.db.execute("SET LOCAL ROLE headrace_pipeline")
        assert (
            len(await rows.db.fetch(ACCEPT, [_row(sender.delivery(f"{n}")) for n in range(count)]))
            == count
        )


async def places(rows: Rows) -> dict[str, tuple[int, int]]:
    return {row["place"]: (row["first"], row["last"]) for row in await rows.db.fetch(PLACES)}


async def test_the_sweeper_makes_them_ahead_of_the_newest_event(rows: Rows) -> None:
    await once(rows.settings, dry_run=False)
    made = {"events_tail", *(f"events_from_{number * SIZE}" for number in range(4))}
    assert set(await rows.partitions("events")) == made
    await once(rows.settings, dry_run=False)
    assert set(await rows.partitions("events")) == made


async def test_events_stand_in_their_range_and_are_relayed_in_order(
    rows: Rows, tiny: Ranges
) -> None:
    assert await tiny.prepare(TODAY) == 4
    await accept(rows, 35)
    assert await places(rows) == {
        "events_from_0": (1, 10),
        "events_from_11": (11, 20),
        "events_from_21": (21, 30),
        "events_from_31": (31, 35),
    }
    assert [row["seq"] for row in await rows.db.fetch(LOWEST, 2000, 8 << 20)] == list(range(1, 36))
    assert await tiny.prepare(TODAY) == 4


async def test_a_log_that_outgrows_them_is_not_refused(
    rows: Rows, tiny: Ranges, caplog: pytest.LogCaptureFixture
) -> None:
    """The sweeper was away for long: the tail takes what comes, and is a range from the next
    round on.
    """
    await accept(rows, 25)
    assert await places(rows) == {"events_from_0": (1, 10), "events_tail": (11, 25)}
    await tiny.prepare(TODAY)
    assert "outgrown" in caplog.text
    await accept(rows, 20)
    assert await places(rows) == {
        "events_from_0": (1, 10),
        "events_from_11": (11, 45),
    }
    caplog.clear()
    await tiny.prepare(TODAY)
    assert caplog.text == ""
    assert [row["seq"] for row in await rows.db.fetch(LOWEST, 2000, 8 << 20)] == list(range(1, 46))
    assert (
        await rows.db.fetchval("SELECT count(*) FROM pg_constraint WHERE conname ~ '_bound'") == 0
    )


@pytest.mark.parametrize("waiting", [5, 25])
async def test_the_door_loses_nothing_while_ranges_are_made(
    rows: Rows, tiny: Ranges, waiting: int
) -> None:
    """Nothing is refused, lost or twice while ranges are made, or first a tail with events is
    closed.
    """
    await accept(rows, waiting)
    ranges = replace(tiny, ahead=30, size=40)
    url = rows.settings.postgres_url.get_secret_value()
    async with asyncpg_pool(url, "headrace_pipeline", "accept", 3) as pool:
        door = Accept(pool, door_refusal)

        async def sending(sender: Sender) -> list[Accepted]:
            return [await door(sender.delivery(f"{number}")) for number in range(60)]

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(sending(Sender())) for _ in range(8)]
            while not all(task.done() for task in tasks):
                await eventually(lambda: made_room(ranges))
    answers = [answer.event_id for task in tasks for answer in task.result()]
    found = [
        row["id"] for row in await rows.db.fetch("SELECT id FROM events WHERE seq > $1", waiting)
    ]
    assert sorted(answers) == sorted(found)
    assert len(found) == 480
    assert (await places(rows)).keys() >= {"events_from_0", "events_from_11"}
    assert "events_tail" not in await places(rows)


async def made_room(ranges: Ranges) -> bool:
    """False when the lock was not had in time: with the next round."""
    try:
        await ranges.prepare(TODAY)
    except DBAPIError as error:
        if not is_transient(error):
            raise
        return False
    return True


async def test_the_relay_and_the_newest_look_into_few_of_them(rows: Rows, tiny: Ranges) -> None:
    """By index, and only where the wanted seqs are."""
    await accept(rows, 10)
    await tiny.prepare(TODAY)
    await accept(rows, 20)
    await rows.db.execute("DELETE FROM outbox WHERE seq <= 25")
    lowest = LOWEST.replace("$1", "2000").replace("$2", "8388608")
    for statement, passed in ((lowest, "events_from_11"), (NEWEST.text, "events_from_0")):
        async with rows.db.transaction():
            await rows.db.execute("SET LOCAL ROLE headrace_pipeline")
            for way in ("seqscan", "mergejoin", "hashjoin"):  # which pay while the tables are tiny
                await rows.db.execute(f"SET LOCAL enable_{way} = off")
            plan = [row[0] for row in await rows.db.fetch(f"EXPLAIN (ANALYZE) {statement}")]
        (scan,) = [line for line in plan if f" on {passed} " in line]
        assert "Index" in scan, plan
        assert "never executed" in scan, plan
