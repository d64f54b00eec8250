"""Rows of two tenants in every table: the API's role sees and touches one tenant's, by SQL of
any kind.
"""

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.contract.catalogue import (
    COLUMNS,
    ROLES,
    TABLES,
    acting,
    ask,
    partitions,
    refused,
    tenant_tables,
)
from tests.factories import new_id

A, B = new_id(), new_id()
NO_ROW = "row-level security"
ALLOWED = {
    ("datasets", "state"): "submitted",
    ("dead_letters", "state"): "parked",
    ("streams", "is_current"): False,
    ("replays", "kind"): "requests",
}


SOURCES = {A: new_id(), B: new_id()}
REPLAYS = {A: new_id(), B: new_id()}
REFERRED_TO = (
    "sources",
    "replays",
    "tenant_storage",
)  # the last has a row a tenant, which others add to
NUMBERS = itertools.count(1)


def value_of(table: str, column: str, kind: str, tenant: UUID) -> object:
    """Something that fits; a type that is new here is an error, so that no table is left out."""
    if column == "tenant_id":
        return tenant
    if column == "source_id" or (table, column) == ("sources", "id"):
        return SOURCES[tenant]
    if column == "replay_id" or (table, column) == ("replays", "id"):
        return REPLAYS[tenant]
    made: dict[str, object] = {
        "uuid": uuid4(),
        "text": uuid4().hex,
        "jsonb": "{}",
        "bytea": uuid4().bytes,
        "integer": next(NUMBERS),
        "bigint": 1,
        "timestamp with time zone": datetime.now(UTC),
        "date": date(2026, 3, 1),
        "numeric(38,9)": Decimal(1),
        "double precision": 1.0,
        "boolean": True,
        "uuid[]": [uuid4()],
    }
    return ALLOWED.get((table, column), made[kind])


async def add(db: asyncpg.Connection, table: str, tenant: UUID) -> tuple[str, list[object]]:
    """The insert of one row of a tenant, and its values."""
    columns = [
        one
        for one in await ask(db, COLUMNS)
        if one["table"] == table
        and one["not_null"]
        and not one["has_default"]
        and not one["is_identity"]
    ]
    names = ", ".join(f'"{one["name"]}"' for one in columns)
    places = ", ".join(f"${place}" for place in range(1, len(columns) + 1))
    values = [value_of(table, one["name"], one["type"], tenant) for one in columns]
    return f"INSERT INTO {table} ({names}) VALUES ({places})", values


@pytest.fixture
async def tables(db: asyncpg.Connection) -> list[str]:
    """Every tenant's table, with a row of A and two of B in it.

    Those first that the API may read.
    """
    found = await tenant_tables(db)
    async with acting(db, "headrace_pipeline"):
        for table in sorted(found, key=lambda name: name not in REFERRED_TO):
            for tenant in (A, B) if table in ("tenants", *REFERRED_TO) else (A, B, B):
                statement, values = await add(db, table, tenant)
                await db.execute(statement, *values)
    assert len(found) >= 17
    return found


async def seen(db: asyncpg.Connection, table: str) -> list[UUID]:
    return [row[0] for row in await db.fetch(f"SELECT tenant_id FROM {table}")]


async def readable(db: asyncpg.Connection, tables: list[str]) -> list[str]:
    return [
        one
        for one in tables
        if await db.fetchval("SELECT has_table_privilege('headrace_api', $1, 'SELECT')", one)
    ]


async def test_the_api_sees_the_rows_of_its_tenant_only(
    db: asyncpg.Connection, tables: list[str]
) -> None:
    for table in await readable(db, tables):
        async with acting(db, "headrace_api", A):
            assert await seen(db, table) == [A], table
        async with acting(db, "headrace_api", B):
            assert set(await seen(db, table)) == {B}, table


async def test_a_tenant_that_nobody_is_sees_nothing(
    db: asyncpg.Connection, tables: list[str]
) -> None:
    for table in await readable(db, tables):
        for tenant in ("", new_id()):
            async with acting(db, "headrace_api", tenant):
                assert await seen(db, table) == [], table


async def test_without_the_setting_nothing_is_seen(contract_url: str) -> None:
    # A fresh session: the setting was never made, which is not the same as empty.
    connection = await asyncpg.connect(contract_url, server_settings={"role": "headrace_api"})
    try:
        assert await connection.fetchval("SELECT current_setting('app.tenant', true)") is None
        assert await connection.fetch("SELECT * FROM tenants") == []
    finally:
        await connection.close()


@pytest.mark.usefixtures("tables")
async def test_a_tenant_that_is_no_id_is_an_error(db: asyncpg.Connection) -> None:
    async with acting(db, "headrace_api", "' OR true --"):
        await refused(db, asyncpg.InvalidTextRepresentationError, "uuid", "SELECT * FROM jobs")


async def test_the_pipeline_sees_all(db: asyncpg.Connection, tables: list[str]) -> None:
    async with acting(db, "headrace_pipeline"):
        for table in tables:
            assert {A, B} <= set(await seen(db, table)), table


@pytest.mark.parametrize("table", ["sources", "api_keys", "idempotency_keys"])
async def test_the_api_adds_rows_of_its_tenant_only(db: asyncpg.Connection, table: str) -> None:
    async with acting(db, "headrace_api", A):
        mine, values = await add(db, table, A)
        await db.execute(mine, *values)
        other, values = await add(db, table, B)
        await refused(db, asyncpg.InsufficientPrivilegeError, NO_ROW, other, *values)


async def test_the_api_adds_nothing_elsewhere(db: asyncpg.Connection, tables: list[str]) -> None:
    sources = {"sources", "source_secrets", "source_mappings"}
    for table in (
        set(tables) - sources - {"api_keys", "idempotency_keys", "replays", "replay_items"}
    ):
        statement, values = await add(db, table, A)
        async with acting(db, "headrace_api", A):
            await refused(
                db, asyncpg.InsufficientPrivilegeError, "permission denied", statement, *values
            )


async def test_the_policies_hold_even_if_everything_were_granted(
    db: asyncpg.Connection, tables: list[str]
) -> None:
    await db.execute(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO headrace_api"
    )
    for table in tables:
        insert, values = await add(db, table, B)
        async with acting(db, "headrace_api", A):
            await refused(db, asyncpg.InsufficientPrivilegeError, NO_ROW, insert, *values)
            move = f"UPDATE {table} SET tenant_id = $1"
            await refused(db, asyncpg.InsufficientPrivilegeError, NO_ROW, move, B)
            assert (
                await db.execute(f"UPDATE {table} SET tenant_id = $1 WHERE tenant_id = $2", A, B)
                == "UPDATE 0"
            ), table
            assert (
                await db.execute(f"DELETE FROM {table} WHERE tenant_id <> $1", A) == "DELETE 0"
            ), table
        async with acting(db, "headrace_api"):
            await refused(db, asyncpg.InsufficientPrivilegeError, NO_ROW, insert, *values)
            assert await db.execute(f"DELETE FROM {table}") == "DELETE 0", table


@pytest.mark.usefixtures("tables")
async def test_a_look_up_before_the_tenant_is_known_gives_one_row(db: asyncpg.Connection) -> None:
    source, key = await db.fetchval("SELECT id FROM sources WHERE tenant_id = $1", A), b"shown"
    await db.execute("UPDATE api_keys SET hash = $1 WHERE tenant_id = $2", key, A)
    async with acting(db, "headrace_pipeline"):
        assert [
            row["tenant_id"]
            for row in await db.fetch("SELECT * FROM headrace_find_source($1)", source)
        ] == [A]
        assert await db.fetch("SELECT * FROM headrace_find_source($1)", new_id()) == []
    find = "SELECT * FROM headrace_find_api_key($1)"
    async with acting(db, "headrace_api"):
        assert [row["tenant_id"] for row in await db.fetch(find, key)] == [A]
        assert await db.fetch(find, b"another") == []
        await refused(
            db,
            asyncpg.InsufficientPrivilegeError,
            "permission",
            "SELECT * FROM headrace_find_source($1)",
            A,
        )
    await db.execute("UPDATE api_keys SET revoked_at = headrace_clock() WHERE tenant_id = $1", A)
    async with acting(db, "headrace_api"):
        assert await db.fetch(find, key) == []


@pytest.mark.usefixtures("tables")
async def test_a_partition_is_as_closed_as_its_parent(db: asyncpg.Connection) -> None:
    """The rows of the fixture stand in partitions; nobody but the owner gets at one directly."""
    found = await partitions(db)
    assert set(found.values()) == {"requests", "request_repeats", "events", "processed"}
    assert len(found) >= 10
    for name in found:
        for role in ROLES[1:]:
            async with acting(db, role, A):
                for statement in (
                    f"SELECT * FROM {name}",
                    f"DELETE FROM {name}",
                    f"INSERT INTO {name} DEFAULT VALUES",
                ):
                    await refused(
                        db, asyncpg.InsufficientPrivilegeError, "permission denied", statement
                    )


async def test_the_policies_of_a_partition_hold_even_if_it_were_granted(
    db: asyncpg.Connection, tables: list[str]
) -> None:
    parents = set((found := await partitions(db)).values()) & set(tables)
    await db.execute("GRANT SELECT, DELETE ON ALL TABLES IN SCHEMA public TO headrace_api")
    filled = {
        one: row[0]
        for one in parents
        for row in await db.fetch(f"SELECT tableoid::regclass::text FROM {one}")
    }
    assert parents == set(filled) <= set(tables)
    for name in filled.values():
        async with acting(db, "headrace_api", A):
            assert await seen(db, name) == [A], name
            assert await db.execute(f"DELETE FROM {name} WHERE tenant_id <> $1", A) == "DELETE 0", (
                name
            )
        async with acting(db, "headrace_api"):
            assert await seen(db, name) == [], name
    assert set(filled.values()) <= set(found)


async def test_a_partition_that_is_added_later_is_closed_too(db: asyncpg.Connection) -> None:
    async with acting(db, "headrace_owner"):
        assert await db.fetchval("SELECT headrace_add_partition('requests', '2031-05-06')")
        assert not await db.fetchval("SELECT headrace_add_partition('requests', '2031-05-06')")
    assert (await partitions(db))["requests_p20310506"] == "requests"
    (made,) = [one for one in await ask(db, TABLES) if one["name"] == "requests_p20310506"]
    assert made["enabled"]
    assert made["forced"]
    async with acting(db, "headrace_pipeline"):
        await refused(
            db, asyncpg.InsufficientPrivilegeError, "denied", "SELECT * FROM requests_p20310506"
        )
        adding = "SELECT headrace_add_partition('requests', '2031-05-07')"
        await refused(db, asyncpg.InsufficientPrivilegeError, "denied|owner", adding)
