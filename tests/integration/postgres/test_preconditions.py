"""A process begins on a database that is as its release needs it, or says what an operator does
about it.
"""

import asyncio
import os
import sys

import asyncpg
import pytest

from compose.postgres.preconditions import NotReady, describe, newest_revision, require_ready
from compose.settings import Settings
from tests.postgres_proxy import postgres_proxy


async def moved(database: str, revision: str) -> None:
    owner = await asyncpg.connect(database, server_settings={"role": "headrace_owner"})
    await owner.execute("UPDATE alembic_version SET version_num = $1", revision)
    await owner.close()


async def test_an_older_schema_is_refused_and_a_newer_one_is_not(database: str) -> None:
    await require_ready(database)
    await moved(database, "9999")
    await require_ready(database)
    await moved(database, "0016")
    with pytest.raises(
        NotReady,
        match=f"at 0016, and this release needs {newest_revision()}: run `headrace migrate`",
    ):
        await require_ready(database)


async def test_a_lost_role_is_refused(database: str) -> None:
    async with postgres_proxy(database) as (proxy, through):
        assert (await describe(through)).startswith("answers, version ")
        proxy.drops_role = True
        with pytest.raises(NotReady, match="does a pooler ignore the start-up parameter `role`"):
            await require_ready(through)


@pytest.mark.parametrize("command", ["api", "relay"])
async def test_a_process_ends_and_says_why(
    database: str, database_settings: Settings, command: str
) -> None:
    await moved(database, "0016")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")},
        "HEADRACE_POSTGRES_URL": database,
        "HEADRACE_API_URL": database_settings.api_url,
        "HEADRACE_DATA_DIR": str(database_settings.data_dir),
        "HEADRACE_KAFKA": "127.0.0.1:1",
        "HEADRACE_SECRET_KEYS": "k:" + "A" * 43 + "=",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "compose.cli",
        command,
        env=environment,
        stderr=asyncio.subprocess.STDOUT,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 1, said
    assert b"run `headrace migrate` first" in said
    assert b"Traceback" not in said
