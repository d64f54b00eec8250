"""What changes often is changed in its place, and what comes and goes is vacuumed."""

import asyncpg

NEW = """
    INSERT INTO read_jobs
    SELECT 1, uuidv7(), uuidv7(), $1, 'accepted', 'train', 'wine', to_jsonb(repeat(md5($1::bigint::text), 28)),
           now(), now()
    FROM generate_series(1, 10)
"""
# Five states, of which each comes a while after the one before.
CHANGE = "UPDATE read_jobs SET document = to_jsonb(reverse(document->>0)), updated_at = now() WHERE version = ANY($1)"
UPDATES = "SELECT n_tup_upd AS made, n_tup_hot_upd AS in_place FROM pg_stat_user_tables WHERE relname = 'read_jobs'"


async def test_a_jobs_view_is_mostly_updated_in_its_place(database: str) -> None:
    owner = await asyncpg.connect(database, server_settings={"role": "headrace_owner"})
    try:
        for number in range(150):
            await owner.execute(NEW, number)
            await owner.execute(CHANGE, [number - back for back in (1, 2, 8, 20, 30)])
        await owner.execute("SELECT pg_stat_force_next_flush()")
        updates = await owner.fetchrow(UPDATES)
    finally:
        await owner.close()
    assert updates is not None
    assert updates["made"] > 5000
    assert updates["in_place"] > 0.5 * updates["made"]


TOLD = "SELECT relname::text AS name, reloptions AS options FROM pg_class WHERE relname = ANY($1)"


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
        row["name"] for row in await db.fetch(TOLD, names) if row["options"] == ["autovacuum_freeze_min_age=0"]
    } == set(names)
