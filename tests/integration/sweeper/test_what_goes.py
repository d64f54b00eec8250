"""What is older than its time goes, what is younger or still needed stays."""

from datetime import UTC, datetime, timedelta

from compose.processes.sweeper import once
from compose.retention.duty import Swept
from tests.integration.sweeper.rows import Rows

KEPT = {
    "inbox_keys": 35,
    "processed": 35,
    "work": 7,
    "requests": 35,
    "request_repeats": 35,
    "rejected_requests": 7,
}


def removed(swept: list[Swept]) -> dict[str, int]:
    assert [one.error for one in swept] == [None] * len(swept)
    return {one.name: one.rows for one in swept if one.rows}


async def test_each_kind_goes_in_its_time_and_not_before(rows: Rows) -> None:
    await rows.all_kinds(datetime.now(UTC), 3)
    before = await rows.counts()
    assert set(before.values()) == {3}
    for days, gone in (
        (6.9, set()),
        (9, {"work", "rejected_requests"}),
        (34.9, {"work", "rejected_requests"}),
    ):
        await rows.move_clock(days)
        await once(rows.settings, dry_run=False)
        assert {name for name, count in (await rows.counts()).items() if count == 0} == gone, days
    await rows.move_clock(37)
    await once(rows.settings, dry_run=False)
    assert set((await rows.counts()).values()) == {0}


async def test_rows_on_both_sides_of_the_line(rows: Rows) -> None:
    now = await rows.move_clock(100)
    for name, days in KEPT.items():
        # A day is dropped when all of it is old; rows of the others go by the row.
        await rows.all_kinds(now - timedelta(days=days, minutes=5), 2)
        await rows.all_kinds(now - timedelta(days=days, minutes=-5), 5)
        swept = removed(await once(rows.settings, dry_run=False))
        assert swept[name] >= 2, name
        assert (await rows.counts())[name] >= 5, name
        for table in KEPT:
            await rows.db.execute(f"DELETE FROM {table}")


async def test_more_than_a_batch_goes_in_one_round(rows: Rows) -> None:
    await rows.db.execute(
        "INSERT INTO inbox_keys SELECT $1, $1, int8send(n), int8send(n), $1, $1, false, "
        "headrace_clock()"
        " FROM generate_series(1, 2500) AS n",
        rows.tenant,
    )
    await rows.move_clock(40)
    assert removed(await once(rows.settings, dry_run=False))["inbox_keys"] == 2500


async def test_open_work_and_data_stay_for_ever(rows: Rows) -> None:
    await rows.all_kinds(datetime.now(UTC))
    await rows.db.execute("UPDATE work SET state = 'leased'")
    kept = rows.objects / "tenants" / str(rows.tenant) / "datasets" / "2020-01-01" / "file"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"a,b")
    await rows.move_clock(400)
    await once(rows.settings, dry_run=False)
    assert (await rows.counts())["work"] == 1
    assert kept.exists()


async def test_a_rehearsal_says_what_a_round_removes_and_removes_nothing(rows: Rows) -> None:
    now = datetime.now(UTC)
    await rows.all_kinds(now, 3)
    await rows.request(now, large=True)
    await rows.request(now, large=True, parked=True)
    await rows.move_clock(40)
    before = await rows.counts()
    said = removed(await once(rows.settings, dry_run=True))
    assert said == {
        "inbox_keys": 3,
        "processed": 3,
        "work": 3,
        "bodies": 1,
        "requests": 4,
        "request_repeats": 3,
        "rejected_requests": 3,
    }
    assert await rows.counts() == before
    assert len(rows.bodies()) == 2
    await once(rows.settings, dry_run=False)
    after = await rows.counts()
    assert {name: before[name] - after[name] for name in before} == {n: said[n] for n in before}
    assert removed(await once(rows.settings, dry_run=True)) == {}


async def test_what_an_open_dead_letter_needs_stays_until_it_is_closed(rows: Rows) -> None:
    now = datetime.now(UTC)
    gone = [await rows.request(now, large=True), await rows.request(now, parked=True)]
    needed = await rows.request(now, large=True, parked=True)
    for days in (40, 41):  # the second time it stands in the default partition
        await rows.move_clock(days)
        await once(rows.settings, dry_run=False)
        assert await rows.ids() == {needed}
        assert rows.bodies() == {str(needed)}
        assert not {str(one) for one in gone} & rows.bodies()
    await rows.db.execute("UPDATE dead_letters SET state = 'discarded'")
    await once(rows.settings, dry_run=False)
    assert await rows.ids() == set()
    assert rows.bodies() == set()
    assert list(rows.objects.glob("tenants/*/requests/*")) == []


async def test_many_that_are_needed_do_not_hide_what_is_not(rows: Rows) -> None:
    now = await rows.move_clock(40)
    old = now - timedelta(days=38)
    needed = {
        await rows.request(old, large=True, parked=True) for _ in range(1001)
    }  # more than a batch
    for _ in range(3):
        await rows.request(old + timedelta(minutes=1), large=True)
    swept = removed(await once(rows.settings, dry_run=False))
    assert (swept["bodies"], swept["requests"]) == (3, 3)
    assert await rows.ids() == needed
    assert rows.bodies() == {str(one) for one in needed}


async def test_a_body_whose_accept_failed_goes_after_a_day(rows: Rows) -> None:
    orphan = await rows.request(datetime.now(UTC), large=True)
    await rows.db.execute("DELETE FROM requests")
    assert rows.bodies() == {str(orphan)}
    await rows.move_clock(0.9)
    await once(rows.settings, dry_run=False)
    assert rows.bodies() == {str(orphan)}
    await rows.move_clock(1.1)
    await once(rows.settings, dry_run=False)
    assert rows.bodies() == set()
