"""What the database itself refuses, whatever the code above it does."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import asyncpg
import pytest

from consumers.jobs.job import TRANSITIONS, State
from tests.contract.catalogue import FUNCTIONS, ROLES, Role, acting, ask, refused
from tests.factories import new_id

KEYS = """
    SELECT c.relname::text AS table, array_agg(a.attname::text ORDER BY k.place) AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid,
         unnest(i.indkey::int[]) WITH ORDINALITY AS k(number, place),
         pg_attribute a
    WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace AND a.attrelid = c.oid
        AND a.attnum = k.number
    GROUP BY 1
"""
NEW_JOB = """
    INSERT INTO jobs (tenant_id, id, state, aggregate_version, kind, dataset_id, target, model,
        options, cause_id,
                      correlation_id, created_at)
    VALUES ($1, $2, $3, 5, 'train', $2, 'target', 'wine', '{}', $2, $2, headrace_clock())
"""
STATES = get_args(State)


async def new_job(connection: asyncpg.Connection, state: str) -> tuple[object, object]:
    key = (new_id(), new_id())
    await connection.execute(NEW_JOB, *key, state)
    return key


async def test_the_ways_of_a_job_are_the_same_in_code_and_in_rows(db: asyncpg.Connection) -> None:
    rows = await db.fetch("SELECT from_state, to_state FROM job_transitions")
    assert {tuple(row) for row in rows} == {
        (start, end) for start, ends in TRANSITIONS.items() for end in ends
    }


async def test_every_other_way_is_refused_by_the_trigger(db: asyncpg.Connection) -> None:
    update = "UPDATE jobs SET state = $3, aggregate_version = 6 WHERE tenant_id = $1 AND id = $2"
    async with acting(db, "headrace_pipeline"):
        for start, end in product(STATES, STATES):
            key = await new_job(db, start)
            if start == end or end in TRANSITIONS[start]:
                assert await db.execute(update, *key, end) == "UPDATE 1"
            else:
                saying = f"cannot go from {start} to {end}"
                await refused(db, asyncpg.CheckViolationError, saying, update, *key, end)


async def test_a_job_never_goes_back_to_an_older_version(db: asyncpg.Connection) -> None:
    update = "UPDATE jobs SET aggregate_version = $3 WHERE tenant_id = $1 AND id = $2"
    async with acting(db, "headrace_pipeline"):
        key = await new_job(db, "running")
        assert await db.execute(update, *key, 5) == "UPDATE 1"
        await refused(db, asyncpg.CheckViolationError, "cannot go back", update, *key, 4)


@pytest.mark.parametrize("table", ["events", "usage_records", "model_versions"])
async def test_logs_and_ledgers_only_grow(db: asyncpg.Connection, table: str) -> None:
    async with acting(db, "headrace_pipeline"):
        for statement in (
            f"UPDATE {table} SET tenant_id = tenant_id",
            f"DELETE FROM {table}",
            f"TRUNCATE {table}",
        ):
            await refused(db, asyncpg.InsufficientPrivilegeError, table, statement)


async def test_an_event_that_kafka_would_refuse_is_not_accepted(db: asyncpg.Connection) -> None:
    insert = """
        INSERT INTO events (topic, value, headers, id, type, tenant_id, aggregate_id, version,
            correlation_id, time)
        VALUES ('t', $1, '', $2, 't', $2, 'a', 0, $2, headrace_clock())
    """
    async with acting(db, "headrace_pipeline"):
        await db.execute(insert, b"v" * (900 << 10), new_id())
        too_large = b"v" * ((900 << 10) + 1)
        await refused(
            db, asyncpg.CheckViolationError, "events_value_sendable", insert, too_large, new_id()
        )


async def clock(connection: asyncpg.Connection) -> datetime:
    found = await connection.fetchval("SELECT headrace_clock()")
    assert isinstance(found, datetime)
    return found


async def test_the_clock_follows_its_offset_for_every_role(db: asyncpg.Connection) -> None:
    assert abs(await clock(db) - datetime.now(UTC)) < timedelta(seconds=5)
    await db.execute("UPDATE clock_offset SET value = '75 hours'")
    for role in ROLES:
        async with acting(db, role):
            ahead = await clock(db) - datetime.now(UTC)
        assert timedelta(hours=74, minutes=59) < ahead < timedelta(hours=75, minutes=1)


async def test_the_clock_moves_inside_a_transaction(db: asyncpg.Connection) -> None:
    assert await clock(db) < await clock(db)


async def test_the_clock_can_be_an_index_condition(db: asyncpg.Connection) -> None:
    (found,) = [one for one in await ask(db, FUNCTIONS) if one["name"] == "headrace_clock"]
    assert found["volatile"] == "s"


async def test_neither_api_nor_pipeline_moves_the_clock(db: asyncpg.Connection) -> None:
    roles: tuple[Role, ...] = ("headrace_api", "headrace_pipeline")
    for role in roles:
        async with acting(db, role):
            statement = "UPDATE clock_offset SET value = '1 hour'"
            await refused(db, asyncpg.InsufficientPrivilegeError, "clock_offset", statement)


async def test_a_generation_comes_first_in_every_read_table(db: asyncpg.Connection) -> None:
    keys = {one["table"]: one["columns"] for one in await ask(db, KEYS)}
    read = {table: columns for table, columns in keys.items() if table.startswith("read_")}
    assert len(read) >= 5
    assert [
        table for table, columns in read.items() if columns[:2] != ["generation", "tenant_id"]
    ] == []


async def test_a_tenant_comes_first_in_every_other_key(db: asyncpg.Connection) -> None:
    keys = {one["table"]: one["columns"] for one in await ask(db, KEYS)}
    owned = {
        table: columns
        for table, columns in keys.items()
        if "tenant_id" in columns and table[:5] != "read_"
    }
    assert len(owned) >= 10
    assert [table for table, columns in owned.items() if columns[0] != "tenant_id"] == []
