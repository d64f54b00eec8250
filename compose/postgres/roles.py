"""The cluster's part: three roles, a login that may become each, and the database.

Run by a superuser.
"""

from urllib.parse import urlsplit, urlunsplit

import asyncpg

from compose.checked_settings import EXAMPLE, WrongSetting

ROLES = ("headrace_owner", "headrace_api", "headrace_pipeline")
INHERITED = """
    SELECT pg_get_userbyid(roleid), quote_ident(pg_get_userbyid(grantor)) FROM pg_auth_members
    WHERE pg_get_userbyid(member) = $1 AND pg_get_userbyid(roleid) = ANY($2) AND inherit_option
"""


async def ensure(superuser_url: str, postgres_url: str) -> None:
    """Make the roles, the login and the database that `postgres_url` names, where they are
    missing.
    """
    wanted = urlsplit(postgres_url)
    login, password, database = wanted.username, wanted.password, wanted.path.lstrip("/")
    if not login or not database:
        raise WrongSetting("postgres_url", f"names no user or no database; use {EXAMPLE}")
    connection = await asyncpg.connect(superuser_url)
    try:
        for role in ROLES:
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
                await connection.execute(f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS")
        name = await connection.fetchval("SELECT quote_ident($1)", login)
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", login):
            await connection.execute(f"CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS")
        if password:
            secret = await connection.fetchval("SELECT quote_literal($1)", password)
            await connection.execute(f"ALTER ROLE {name} PASSWORD {secret}")
        # A session that lost its role has no right at all then. A membership that somebody else
        # gave counts as well.
        await connection.execute(f"GRANT {', '.join(ROLES)} TO {name} WITH INHERIT FALSE, SET TRUE")
        for role, grantor in await connection.fetch(INHERITED, login, ROLES):
            await connection.execute(
                f"GRANT {role} TO {name} WITH INHERIT FALSE GRANTED BY {grantor}"
            )
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
            quoted = await connection.fetchval("SELECT quote_ident($1)", database)
            await connection.execute(
                f"CREATE DATABASE {quoted} OWNER headrace_owner TEMPLATE template0 ENCODING 'UTF8'"
            )
    finally:
        await connection.close()
    inside = await asyncpg.connect(
        urlunsplit(urlsplit(superuser_url)._replace(path="/" + database))
    )
    try:
        await inside.execute("ALTER SCHEMA public OWNER TO headrace_owner")
        await inside.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        await inside.execute(f"GRANT USAGE ON SCHEMA public TO {', '.join(ROLES)}")
    finally:
        await inside.close()
