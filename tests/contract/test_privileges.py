"""Who may do what, asked of the catalogue: a new table or function has to be decided here."""

from collections import defaultdict

import asyncpg

from tests.contract.catalogue import (
    COLUMNS,
    FUNCTIONS,
    GRANTS,
    POLICIES,
    ROLES,
    TABLES,
    ask,
    tenant_tables,
)

ONE_TENANT = "(tenant_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)"
SHARED = {
    "alembic_version",
    "blocked_partitions",
    "clock_offset",
    "consumer_breakers",
    "consumer_starts",
    "job_transitions",
    "kafka_cluster",
    "outbox",
    "outbox_held",
    "partition_ends",
    "positions",
    "processed",
    "projection_heads",
    "suspect_records",
    "topic_layouts",
}
READ, ALL = {"SELECT"}, {"SELECT", "INSERT", "UPDATE", "DELETE"}
# What the API writes itself is configuration, and what is given up or replayed; all else it asks
# for with an event. It never sees who was deduplicated.
API = {
    "sources": ALL,
    "source_secrets": ALL,
    "source_mappings": {"SELECT", "INSERT"},
    "api_keys": {"SELECT", "INSERT", "UPDATE"},
    "idempotency_keys": ALL,
    "inbox_keys": set(),
    "dead_letters": {"SELECT", "UPDATE"},
    "replays": {"SELECT", "INSERT", "UPDATE"},
    "replay_items": {"SELECT", "INSERT", "UPDATE"},
}
API_SHARED = {"clock_offset": READ, "positions": READ, "projection_heads": READ}
GROWING = {"SELECT", "INSERT"}
PIPELINE = {"events": GROWING, "usage_records": GROWING, "model_versions": GROWING}
PIPELINE_SHARED = {
    "blocked_partitions": ALL,
    "clock_offset": READ,
    "consumer_breakers": {"SELECT", "INSERT", "UPDATE"},
    "job_transitions": READ,
    "kafka_cluster": ALL,
    "outbox": ALL,
    "outbox_held": ALL,
    "partition_ends": ALL,
    "positions": ALL,
    "topic_layouts": ALL,
    "processed": ALL,
    "projection_heads": {"SELECT", "INSERT", "UPDATE"},
    "consumer_starts": ALL,
    "suspect_records": ALL,
}
DEFINERS = {
    "headrace_find_api_key": ["headrace_api"],
    "headrace_find_source": ["headrace_pipeline"],
    "headrace_find_limited_source": ["headrace_pipeline"],
    "headrace_find_limited_api_key": ["headrace_api"],
}


async def granted(db: asyncpg.Connection) -> dict[str, dict[str, set[str]]]:
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for one in await ask(db, GRANTS):
        found[one["grantee"]][one["name"]].add(one["privilege"])
    return {grantee: dict(tables) for grantee, tables in found.items()}


async def test_no_role_of_ours_is_above_the_policies(db: asyncpg.Connection) -> None:
    rows = await ask(db, "SELECT * FROM pg_roles WHERE rolname = ANY($1)", [*ROLES, "headrace"])
    assert len(rows) == 4
    powers = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication")
    assert [(one["rolname"], power) for one in rows for power in powers if one[power]] == []
    assert {one["rolname"] for one in rows if one["rolcanlogin"]} == {"headrace"}


async def test_only_the_login_may_become_a_role(db: asyncpg.Connection) -> None:
    query = """
        SELECT pg_get_userbyid(roleid)::text AS role, pg_get_userbyid(member)::text AS member,
            admin_option AS admin
        FROM pg_auth_members WHERE pg_get_userbyid(member) ~ '^headrace'
            OR pg_get_userbyid(roleid) ~ '^headrace'
    """
    rows = await ask(db, query)
    assert {(one["role"], one["member"]) for one in rows if not one["admin"]} >= {
        (role, "headrace") for role in ROLES
    }
    assert {one["member"] for one in rows if one["member"] in ROLES} == set()


async def test_every_table_is_the_owners(db: asyncpg.Connection) -> None:
    assert {one["owner"] for one in await ask(db, TABLES)} == {"headrace_owner"}
    assert {one["owner"] for one in await ask(db, FUNCTIONS)} == {"headrace_owner"}


async def test_tables_without_a_tenant_are_known(db: asyncpg.Connection) -> None:
    found = [
        one for one in await ask(db, TABLES) if not one["has_tenant"] and not one["partition_of"]
    ]
    assert {one["name"] for one in found} == SHARED


async def test_row_security_is_enabled_and_forced_on_every_tenants_table(
    db: asyncpg.Connection,
) -> None:
    tables = [one for one in await ask(db, TABLES) if one["has_tenant"]]
    assert len(tables) >= 17
    assert [
        one["name"] for one in tables if not (one["enabled"] and one["forced"])
    ] == []  # partitions too


async def test_every_tenants_table_has_exactly_the_two_policies(db: asyncpg.Connection) -> None:
    found: dict[str, list[tuple[object, ...]]] = {
        one["name"]: [] for one in await ask(db, TABLES) if one["has_tenant"]
    }
    for one in await ask(db, POLICIES):
        roles = tuple(sorted(one["roles"]))
        rule = (one["name"], one["permissive"], roles, one["cmd"], one["qual"], one["with_check"])
        found.setdefault(one["table"], []).append(rule)
    expected = [
        (
            "every_tenant",
            "PERMISSIVE",
            ("headrace_owner", "headrace_pipeline"),
            "ALL",
            "true",
            "true",
        ),
        ("one_tenant", "PERMISSIVE", ("headrace_api",), "ALL", ONE_TENANT, ONE_TENANT),
    ]
    assert {table: rules for table, rules in found.items() if rules != expected} == {}


async def test_the_api_reads_its_tenants_and_writes_configuration_only(
    db: asyncpg.Connection,
) -> None:
    expected = {**dict.fromkeys(await tenant_tables(db), READ), **API, **API_SHARED}
    found = (await granted(db))["headrace_api"]
    assert found == {table: privileges for table, privileges in expected.items() if privileges}
    assert {"outbox", "processed", "inbox_keys", "kafka_cluster"} & set(found) == set()


async def test_the_pipeline_may_do_what_it_does_and_never_truncates(db: asyncpg.Connection) -> None:
    expected = {**dict.fromkeys(await tenant_tables(db), ALL), **PIPELINE, **PIPELINE_SHARED}
    assert (await granted(db))["headrace_pipeline"] == expected


async def test_nobody_else_has_anything(db: asyncpg.Connection) -> None:
    assert set(await granted(db)) == {"headrace_api", "headrace_pipeline"}
    assert [one for one in await ask(db, COLUMNS) if one["has_grants"]] == []


async def test_only_the_owner_makes_things(db: asyncpg.Connection) -> None:
    for role in ("headrace_api", "headrace_pipeline"):
        assert not await db.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", role)
        assert await db.fetchval("SELECT has_schema_privilege($1, 'public', 'USAGE')", role)


async def test_look_ups_before_the_tenant_is_known_are_one_function_each(
    db: asyncpg.Connection,
) -> None:
    definers = {one["name"]: one for one in await ask(db, FUNCTIONS) if one["is_definer"]}
    assert {name: one["executors"] for name, one in definers.items()} == DEFINERS
    assert {tuple(one["settings"]) for one in definers.values()} == {
        ("search_path=public, pg_temp",)
    }
    assert {one["volatile"] for one in definers.values()} == {"s"}
