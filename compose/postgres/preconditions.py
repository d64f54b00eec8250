"""What a process needs of the database before it begins: its roles, and a schema that is not
older than its code.
"""

from importlib.resources import files

import asyncpg

from compose.failures import is_transient
from compose.postgres.connections import CONNECT_SECONDS, WrongRole, connect
from compose.postgres.roles import INHERITED, ROLES

REVISION = "SELECT version_num FROM alembic_version"


class NotReady(Exception):
    """The database is not as this release needs it.

    The message says what an operator does about it.
    """


def newest_revision() -> str:
    """The last migration of this release; the history is one line, numbered."""
    return max(
        one.name[:4] for one in files("migrations.versions").iterdir() if one.name[:4].isdigit()
    )


async def require_ready(postgres_url: str) -> None:
    """Raises NotReady when a session is not its role, or the schema is older.

    A newer one is an upgrade under way.
    """
    try:
        connection = await connect(postgres_url, "headrace_owner", "start", CONNECT_SECONDS)
    except WrongRole as error:
        raise NotReady(str(error)) from error
    except (
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InvalidCatalogNameError,
    ) as error:
        raise NotReady(
            f"PostgreSQL refuses the login or the database of HEADRACE_POSTGRES_URL: {error}"
        ) from error
    try:
        found = await connection.fetchval(REVISION)
    except asyncpg.UndefinedTableError:
        found = None
    finally:
        await connection.close(timeout=CONNECT_SECONDS)
    needed = newest_revision()
    if found is None or found < needed:
        raise NotReady(
            f"the schema of the database is at {found or 'nothing'}, and this release needs "
            f"{needed}: "
            "run `headrace migrate` first"
        )


async def answering(postgres_url: str) -> None:
    """The same for a process that does not wait for the database: NotReady where it does not
    answer, too.
    """
    try:
        await require_ready(postgres_url)
    except Exception as error:
        if not is_transient(error):
            raise
        said = (
            "PostgreSQL does not answer, or HEADRACE_POSTGRES_URL is another's: "
            f"{error or type(error).__name__}"
        )
        raise NotReady(said) from error


async def describe(postgres_url: str) -> str:
    """The server's version, when all is in order; raises NotReady."""
    await require_ready(postgres_url)
    connection = await connect(postgres_url, "headrace_owner", "doctor", CONNECT_SECONDS)
    try:
        version = await connection.fetchval("SHOW server_version")
        login = await connection.fetchval("SELECT session_user::text")
        inherited = await connection.fetch(INHERITED, login, ROLES)
    finally:
        await connection.close(timeout=CONNECT_SECONDS)
    if inherited:
        roles = ", ".join(sorted({row[0] for row in inherited}))
        raise NotReady(
            f"{login} inherits what {roles} may do, also without a role: run `headrace admin roles`"
        )
    return f"answers, version {version}"
