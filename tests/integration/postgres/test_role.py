"""Isolation when the start-up parameter `role` is lost, as in a pooler that ignores it: closed,
never open.
"""

from uuid import uuid4

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from compose.postgres import roles
from compose.postgres.connections import WrongRole, asyncpg_pool, connect, engine, sqlalchemy_url
from compose.postgres.tenant_transaction import tenant_transaction
from compose.settings import Settings
from tests.acceptance.world import api_only
from tests.eventually import eventually
from tests.harness.database import Cluster
from tests.postgres_proxy import postgres_proxy

READS = ("/v1/sources", "/v1/requests", "/v1/jobs", "/v1/events", "/v1/limits")


async def test_a_lost_role_shows_one_tenant_nothing_of_another(
    database: str, database_settings: Settings
) -> None:
    async with postgres_proxy(database) as (proxy, through):
        settings = database_settings.model_copy(update={"postgres_url": SecretStr(through)})
        async with api_only(settings) as world, await world.another_tenant("b") as other:
            source = await world.source("of the first")
            assert (
                await world.send(source, b'{"secret": "of the first"}', "m1")
            ).status_code == 202

            proxy.drops_role = True
            proxy.cut()
            answers = [await other.get(path) for path in READS]
            sent = await world.send(source, b"{}", "m2")
            assert [(one.status_code, source["id"] in one.text) for one in answers] == [
                (503, False)
            ] * len(READS)
            assert sent.status_code == 503

            proxy.drops_role = False

            async def answer() -> httpx.Response:
                return await other.get("/v1/sources")

            assert (await eventually(answer, lambda one: one.status_code == 200)).json()[
                "data"
            ] == []
            assert (await world.send(source, b"{}", "m2")).status_code == 202


async def test_no_connection_works_under_a_role_that_it_did_not_ask_for(database: str) -> None:
    async with postgres_proxy(database) as (proxy, through):
        proxy.drops_role = True
        with pytest.raises(WrongRole, match="the session is headrace, not headrace_pipeline"):
            await connect(through, "headrace_pipeline", "test", 5)
        core = engine(through, "headrace_owner", "test")
        with pytest.raises(WrongRole):
            async with core.begin():
                pass
        await core.dispose()
        with pytest.raises(WrongRole):
            async with asyncpg_pool(through, "headrace_api", "test", 1):
                pass


async def test_the_login_alone_may_do_nothing(database: str) -> None:
    login = await asyncpg.connect(database)
    try:
        for statement in (
            "SELECT FROM sources",
            "SELECT FROM events",
            "INSERT INTO outbox VALUES (1, 1)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await login.execute(statement)
    finally:
        await login.close()


async def test_the_role_is_taken_with_the_tenant_whatever_the_session_is(database: str) -> None:
    lost = create_async_engine(sqlalchemy_url(database))
    try:
        async with tenant_transaction(lost, uuid4()) as tx:
            assert (await tx.execute(text("SELECT current_user"))).scalar_one() == "headrace_api"
        async with lost.begin() as tx:
            assert (await tx.execute(text("SELECT current_user"))).scalar_one() == "headrace"
    finally:
        await lost.dispose()


MEMBERSHIPS = """
    SELECT pg_get_userbyid(roleid)::text AS role, bool_or(inherit_option) AS inherits,
        bool_or(set_option) AS sets
    FROM pg_auth_members WHERE pg_get_userbyid(member) = $1 GROUP BY 1 ORDER BY 1
"""


async def test_roles_upgrades_a_login_that_inherits(cluster: Cluster) -> None:
    """As an older release granted them, and as somebody else did beside it."""
    admin = await asyncpg.connect(cluster.superuser_url)
    name = f"login{uuid4().hex[:8]}"
    url = cluster.url("headrace_template").replace("//headrace:", f"//{name}:")
    try:
        await admin.execute(f"CREATE ROLE {name} LOGIN; CREATE ROLE {name}_dba")
        await admin.execute(f"GRANT headrace_api TO {name}_dba WITH ADMIN OPTION")
        await admin.execute(f"GRANT headrace_owner, headrace_api, headrace_pipeline TO {name}")
        await admin.execute(f"SET ROLE {name}_dba; GRANT headrace_api TO {name}; RESET ROLE")

        await roles.ensure(cluster.superuser_url, url)

        found = [tuple(row) for row in await admin.fetch(MEMBERSHIPS, name)]
        assert found == [(role, False, True) for role in sorted(roles.ROLES)]
    finally:
        await admin.execute(f"DROP OWNED BY {name}, {name}_dba CASCADE")
        await admin.execute(f"DROP ROLE {name}, {name}_dba")
        await admin.close()
