"""What the database says of itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import asyncpg
import pytest

Role = Literal["headrace_owner", "headrace_api", "headrace_pipeline"]
ROLES: tuple[Role, ...] = ("headrace_owner", "headrace_api", "headrace_pipeline")

TABLES = """
    SELECT c.relname::text AS name, pg_get_userbyid(c.relowner)::text AS owner,
           c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
           EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
               AND a.attname = 'tenant_id') AS has_tenant,
           (SELECT i.inhparent::regclass::text FROM pg_inherits i
               WHERE i.inhrelid = c.oid) AS partition_of
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
        ORDER BY 1
"""
COLUMNS = """
    SELECT c.relname::text AS table, a.attname::text AS name, format_type(a.atttypid,
        a.atttypmod) AS type,
           a.attnotnull AS not_null, a.atthasdef AS has_default, a.attidentity <> '' AS is_identity,
           a.attacl IS NOT NULL AS has_grants
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
        AND NOT a.attisdropped
    ORDER BY 1, a.attnum
"""
GRANTS = """
    SELECT c.relname::text AS name, coalesce(pg_get_userbyid(nullif(g.grantee, 0)),
        'public')::text AS grantee,
           g.privilege_type::text AS privilege
    FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault(
        CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) AS g
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
      AND g.grantee <> c.relowner
    ORDER BY 1, 2, 3
"""
POLICIES = """
    SELECT tablename::text AS table, policyname::text AS name, permissive, roles::text[] AS roles,
        cmd, qual, with_check
    FROM pg_policies WHERE schemaname = 'public' ORDER BY 1, 2
"""
FUNCTIONS = """
    SELECT p.proname::text AS name, p.prosecdef AS is_definer, p.provolatile::text AS volatile,
        p.proconfig AS settings,
           pg_get_functiondef(p.oid) AS definition, pg_get_userbyid(p.proowner)::text AS owner,
           ARRAY(SELECT coalesce(pg_get_userbyid(nullif(g.grantee, 0)), 'public')::text
                 FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS g
                 WHERE g.grantee <> p.proowner ORDER BY 1) AS executors
    FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace ORDER BY 1
"""
OTHERS = """
    SELECT 'index' AS kind, indexname::text AS name, indexdef AS definition FROM pg_indexes
        WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint', conname::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'trigger', tgname::text, pg_get_triggerdef(oid) FROM pg_trigger
        WHERE NOT tgisinternal
    ORDER BY 1, 2, 3
"""


async def ask(connection: asyncpg.Connection, query: str, *given: object) -> list[dict[str, Any]]:
    """The rows of a query."""
    return [dict(row) for row in await connection.fetch(query, *given)]


async def everything(connection: asyncpg.Connection) -> dict[str, list[dict[str, Any]]]:
    """All that a migration can make, to compare with itself after a way down and up."""
    queries = {
        "tables": TABLES,
        "columns": COLUMNS,
        "grants": GRANTS,
        "policies": POLICIES,
        "functions": FUNCTIONS,
        "others": OTHERS,
    }
    return {name: await ask(connection, query) for name, query in queries.items()}


async def tenant_tables(connection: asyncpg.Connection) -> list[str]:
    """The tables that hold rows of tenants, partitions left out: they are reached through their
    parents.
    """
    return [
        one["name"]
        for one in await ask(connection, TABLES)
        if one["has_tenant"] and not one["partition_of"]
    ]


async def partitions(connection: asyncpg.Connection) -> dict[str, str]:
    """The parent of every partition."""
    return {
        one["name"]: one["partition_of"]
        for one in await ask(connection, TABLES)
        if one["partition_of"]
    }


@asynccontextmanager
async def acting(
    connection: asyncpg.Connection, role: Role, tenant: object = ""
) -> AsyncIterator[None]:
    """Be one of our roles for a while, with a tenant or without."""
    await connection.execute(f"SET LOCAL ROLE {role}")
    await connection.execute("SELECT set_config('app.tenant', $1, true)", str(tenant))
    yield
    await connection.execute("RESET ROLE")
    await connection.execute("SELECT set_config('app.tenant', '', true)")


async def refused(
    connection: asyncpg.Connection,
    error: type[asyncpg.PostgresError],
    saying: str,
    statement: str,
    *given: object,
) -> None:
    """The database refuses a statement, with these words; what went before stands."""
    with pytest.raises(error, match=saying):
        async with connection.transaction():
            await connection.execute(statement, *given)
