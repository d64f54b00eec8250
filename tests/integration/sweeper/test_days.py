"""Days as partitions: made ahead, dropped whole, and nothing refused where one is missing."""

from datetime import UTC, date, datetime, timedelta

from compose.processes.sweeper import once, sweeper
from producers.webhooks.retention import store
from producers.webhooks.retention.store import TABLES
from tests.integration.sweeper.rows import Rows


def named(table: str, day: date) -> str:
    return f"{table}_p{day:%Y%m%d}"


async def test_the_coming_days_are_made_once(rows: Rows) -> None:
    today = (await rows.now()).date()
    await once(rows.settings, dry_run=False)
    for table in TABLES:
        coming = [named(table, today + timedelta(days=number)) for number in range(8)]
        assert await rows.partitions(table) == sorted([f"{table}_default", *coming])
    before = await rows.partitions()
    await once(rows.settings, dry_run=False)
    assert await rows.partitions() == before


async def test_a_row_stands_in_its_day_and_otherwise_in_the_default(rows: Rows) -> None:
    now = await rows.now()
    today, later = await rows.request(now), await rows.request(now + timedelta(days=20))
    found = {
        row["id"]: row["at"]
        for row in await rows.db.fetch("SELECT id, tableoid::regclass::text AS at FROM requests")
    }
    assert found == {today: named("requests", now.date()), later: "requests_default"}


async def test_a_day_that_stands_in_the_default_already_stays_there(rows: Rows) -> None:
    """The stack was down for long: what came before the first round is neither moved nor in the
    way.
    """
    now = await rows.move_clock(60)
    request = await rows.request(now)
    await once(rows.settings, dry_run=False)
    assert await rows.ids("requests_default") == {request}
    names = await rows.partitions()
    assert named("requests", now.date()) not in names
    assert named("requests", now.date() + timedelta(days=1)) in names
    await rows.move_clock(97)
    await once(rows.settings, dry_run=False)
    assert await rows.ids() == set()


async def test_old_days_are_gone_from_the_catalogue(rows: Rows) -> None:
    first = (await rows.now()).date()
    await rows.move_clock(40)
    await once(rows.settings, dry_run=False)
    assert named("requests", first) not in await rows.partitions()
    assert await rows.db.fetchval("SELECT to_regclass($1)", named("requests", first)) is None


async def test_a_killed_sweepers_detached_day_is_dropped_by_the_next(rows: Rows) -> None:
    needed = await rows.request(datetime.now(UTC), large=True, parked=True)
    await rows.request(datetime.now(UTC))
    now = await rows.move_clock(40)
    async with sweeper(rows.settings) as one:
        (days,) = [each for each in one.days if each.table == "requests"]
        async with days.begin() as tx:
            (oldest, *_) = await store.past(tx, "requests", now - timedelta(days=35))
            await store.take_out(tx, oldest, [needed])
    assert await rows.db.fetchval("SELECT to_regclass($1)::text", oldest.name) == oldest.name
    await once(rows.settings, dry_run=False)
    assert await rows.db.fetchval("SELECT to_regclass($1)", oldest.name) is None
    assert await rows.ids() == {needed}


async def test_a_reader_who_takes_long_only_puts_it_off(rows: Rows) -> None:
    await rows.request(datetime.now(UTC))
    await rows.move_clock(40)
    async with rows.db.transaction():
        await rows.db.fetch("SELECT * FROM requests")
        swept = {one.name: one.error for one in await once(rows.settings, dry_run=False)}
    assert "lock timeout" in str(swept.pop("requests"))
    assert set(swept.values()) == {None}
    assert len(await rows.ids()) == 1
    await once(rows.settings, dry_run=False)
    assert await rows.ids() == set()
