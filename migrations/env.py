"""Alembic's entry: runs the versions as headrace_owner over asyncpg, one transaction each."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from compose.metadata import ALL

# Made by hand in the versions, not by the metadata: the test clock's offset; and partitions come
# and go by the day.
NOT_IN_METADATA = {"clock_offset"}
PARTITIONS = text(
    "SELECT relname FROM pg_class WHERE relispartition AND relnamespace = 'public'::regnamespace"
)


def _migrate(connection: Connection) -> None:
    def ours(_thing: object, name: str | None, kind: str, reflected: bool, _to: object) -> bool:
        return not (
            kind == "table" and (name in NOT_IN_METADATA or (reflected and name in partitions))
        )

    with connection.begin():
        partitions = set(connection.execute(PARTITIONS).scalars())
    context.configure(
        connection=connection,
        target_metadata=ALL,
        transaction_per_migration=True,
        compare_server_default=False,
        include_object=ours,
    )
    with context.begin_transaction():
        context.run_migrations()


async def _run() -> None:
    url = context.config.attributes["url"]
    engine = create_async_engine(
        url, poolclass=NullPool, connect_args={"server_settings": {"role": "headrace_owner"}}
    )
    async with engine.connect() as connection:
        # A migration that cannot get its lock gives up, and is tried again, rather than stop
        # everybody behind it.
        await connection.execute(text("SET lock_timeout = '1s'"))
        await connection.execute(text("SET statement_timeout = '15min'"))
        await connection.commit()
        await connection.run_sync(_migrate)
    await engine.dispose()


asyncio.run(_run())
