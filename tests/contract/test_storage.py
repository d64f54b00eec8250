"""What changes often has room for it in its pages, and what comes and goes is vacuumed."""

import asyncpg

TOLD = "SELECT relname::text AS name, reloptions AS options FROM pg_class WHERE relname = ANY($1)"


async def test_the_pages_of_a_jobs_view_have_room_for_its_changes(db: asyncpg.Connection) -> None:
    (row,) = await db.fetch(TOLD, ["read_jobs"])
    assert "fillfactor=70" in row["options"]


async def test_the_outbox_is_vacuumed_without_a_lock_at_the_end(db: asyncpg.Connection) -> None:
    (row,) = await db.fetch(TOLD, ["outbox"])
    assert {"vacuum_truncate=off", "autovacuum_vacuum_cost_delay=0"} <= set(row["options"])


async def test_each_range_of_the_log_is_frozen_as_it_is_vacuumed(db: asyncpg.Connection) -> None:
    await db.execute("SET LOCAL ROLE headrace_owner")
    assert await db.fetchval("SELECT headrace_add_range('events', 16000000, 24000000)")
    names = [
        row[0]
        for row in await db.fetch(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass"
        )
    ]
    assert len(names) == 4
    assert {
        row["name"]
        for row in await db.fetch(TOLD, names)
        if row["options"] == ["autovacuum_freeze_min_age=0"]
    } == set(names)
