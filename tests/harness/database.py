"""Databases of tests: cloned from the migrated template, and emptied after each test instead of
cloned again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from compose.devstack.servers.postgres import PostgresServer
from tests.published import Produced, in_the_log

TEMPLATE = "headrace_template"
OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "io_method": "sync",
    "scram_iterations": "1",
}
"""What a server of tests does without: it survives no crash of the machine."""

CATALOGS = (
    "pg_attribute",
    "pg_attrdef",
    "pg_proc",
    "pg_constraint",
    "pg_trigger",
    "pg_policy",
    "pg_rewrite",
    "pg_index",
    "pg_inherits",
    "pg_namespace",
    "pg_partitioned_table",
    "pg_sequence",
    "pg_type",
    "pg_db_role_setting",
    "pg_default_acl",
    "pg_extension",
    "pg_event_trigger",
)
# Every change of a row of a catalog, and every new one, has a later xmin. TRUNCATE changes pg_class
# alone.
SCHEMA = f"""
    SELECT (SELECT md5(string_agg(concat_ws('|', oid, relname, relkind, relowner, relacl,
        relrowsecurity,
                relforcerowsecurity, relispartition, relpartbound, reloptions, relnamespace), ','
                    ORDER BY oid))
            FROM pg_class WHERE oid >= 16384 AND relkind <> 't'),
           (SELECT datacl::text FROM pg_database WHERE datname = current_database()),
           {", ".join(f"(SELECT (count(*), max(xmin::text::bigint))::text FROM {name})" for name in CATALOGS)}
"""
WITH_ROWS = """
    SELECT oid::regclass::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
"""
SEQUENCES = (
    "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = "
    "'public'::regnamespace AND relkind = 'S'"
)
OTHERS = """
    SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND backend_type = 'client backend'
"""


@dataclass(frozen=True)
class Cluster:
    """A Postgres with our roles and a migrated template database."""

    superuser_url: str
    login_url: str

    def url(self, database: str) -> str:
        """The login's URL of a database."""
        return urlunsplit(urlsplit(self.login_url)._replace(path="/" + database))

    async def connect(self, database: str) -> asyncpg.Connection:
        """A superuser's connection to a database."""
        where = urlsplit(self.superuser_url)._replace(path="/" + database)
        return await asyncpg.connect(urlunsplit(where))


async def set_cheap_password(server: PostgresServer) -> None:
    """Store the superuser's password anew, with as few iterations as the server now asks for."""
    connection = await asyncpg.connect(server.url())
    await connection.execute(f"ALTER ROLE CURRENT_USER PASSWORD '{server.password}'")
    await connection.close()


@dataclass(frozen=True)
class Pristine:
    """What a fresh clone has: its schema, its rows and where its sequences stand."""

    schema: list[asyncpg.Record]
    rows: Mapping[str, bytes]
    sequences: str

    @classmethod
    async def of(cls, connection: asyncpg.Connection) -> "Pristine":
        """Read it from one."""
        rows: dict[str, bytes] = {}
        for (table,) in await connection.fetch(WITH_ROWS):
            copied = BytesIO()
            await connection.copy_from_table(table, output=copied, format="binary")
            rows[table] = copied.getvalue()
        sequences = []
        for (name,) in await connection.fetch(SEQUENCES):
            ((last, called),) = await connection.fetch(f"SELECT last_value, is_called FROM {name}")
            sequences.append(f"SELECT setval('{name}', {last}, {called});")
        return cls(await connection.fetch(SCHEMA), rows, "".join(sequences))

    async def restore(self, connection: asyncpg.Connection) -> bool:
        """Make a used one like it again; False when its schema has changed or somebody is
        still connected, which this does not mend.
        """
        await connection.execute(OTHERS)
        if await connection.fetch(SCHEMA) != self.schema:
            return False
        used = ", ".join(row[0] for row in await connection.fetch(WITH_ROWS))
        await connection.execute("SET session_replication_role = replica")
        try:
            await connection.execute(
                f"TRUNCATE ONLY {used} CASCADE; {self.sequences} SELECT pg_stat_reset()"
            )
        except asyncpg.DeadlockDetectedError:
            return False  # somebody has connected once more
        for table, rows in self.rows.items():
            await connection.copy_to_table(table, source=BytesIO(rows), format="binary")
        return True


@dataclass
class Databases:
    """Hands out names; each is somebody's own until it is given back."""

    cluster: Cluster
    _free: list[str] = field(default_factory=list)
    _pristine: dict[str, Pristine] = field(default_factory=dict)

    async def take(self) -> str:
        """The name of one that is as the template."""
        if self._free:
            return self._free.pop()
        name = f"t{uuid4().hex}"
        await self._execute(
            f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER headrace_owner STRATEGY FILE_COPY"
        )
        connection = await self.cluster.connect(name)
        self._pristine[name] = await Pristine.of(connection)
        await connection.close()
        return name

    async def give_back(self, name: str) -> list[Produced]:
        """Empty it, whoever is connected; returns what stood in its log."""
        connection = await self.cluster.connect(name)
        try:
            produced = await in_the_log(connection)
            clean = await self._pristine[name].restore(connection)
        finally:
            await connection.close()
        if clean:
            self._free.append(name)
        else:
            await self._execute(f"DROP DATABASE {name} WITH (FORCE)")
        return produced

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.cluster.superuser_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()
