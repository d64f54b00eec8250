"""Deliveries of strangers: what they ask of the database and of the log is their own share, and
a small one.
"""

import asyncio
import logging
from uuid import UUID, uuid4

import asyncpg
import pytest

from compose.failures import door_refusal
from compose.postgres.connections import asyncpg_pool
from compose.processes.ingress import limit_settings, sealer_of
from producers.webhooks.sources.cache import SourceCache
from producers.webhooks.verification.standard_webhooks import secret_from
from tests.acceptance.ingress.senders import create, deliver
from tests.acceptance.world import World

ASKED_BY = """
    SELECT string_agg(DISTINCT application_name, ' ') FROM pg_stat_activity
    WHERE query LIKE '%headrace_find_limited_source($1)%' AND pid <> pg_backend_pid()
"""


async def test_unknown_sources_are_looked_up_on_connections_of_their_own(api: World) -> None:
    known = await create(api, "shop")
    unknown = [{**known, "id": str(uuid4())} for _ in range(30)]

    answers = await asyncio.gather(*(deliver(api, one, b"{}", "a") for one in unknown))

    assert {answer.status_code for answer in answers} == {401}
    connection = await asyncpg.connect(api.settings.postgres_url.get_secret_value())
    assert await connection.fetchval(ASKED_BY) == "headrace api strangers"
    await connection.close()
    assert (await deliver(api, known, b"{}", "a")).status_code == 202


async def test_unknown_ids_displace_no_source_and_delay_none(api: World) -> None:
    source = await create(api, "shop")
    settings = api.settings
    url = settings.postgres_url.get_secret_value()
    async with (
        asyncpg_pool(url, "headrace_pipeline", "test", 1) as pool,
        asyncpg_pool(url, "headrace_pipeline", "test strangers", 1) as for_strangers,
    ):
        cache = SourceCache(
            pool,
            for_strangers,
            sealer_of(settings),
            door_refusal,
            limit_settings(settings),
            seconds=0,
            size=3,
        )
        found = await cache.find(UUID(source["id"]))
        assert found is not None
        assert [await cache.find(uuid4()) for _ in range(20)] == [None] * 20
        await for_strangers.close()

        assert await cache.find(UUID(source["id"])) == found


async def test_a_genuine_large_body_among_forged_ones_is_accepted(api: World) -> None:
    source = await create(api, "shop")
    large = b'"' + b"x" * (900 << 10) + b'"'
    forged = [
        deliver(api, source, large, f"{number}", secret=secret_from(bytes(32)))
        for number in range(30)
    ]

    *refused, genuine = await asyncio.gather(*forged, deliver(api, source, large, "genuine"))

    assert {answer.status_code for answer in refused} == {401}
    assert genuine.status_code == 202


async def test_a_flood_of_forgeries_leaves_a_few_lines(
    api: World, caplog: pytest.LogCaptureFixture
) -> None:
    source = await create(api, "shop")
    caplog.set_level(logging.INFO, "producers.webhooks")

    for number in range(40):
        assert (
            await deliver(api, source, b"{}", f"{number}", secret=secret_from(bytes(32)))
        ).status_code == 401

    said = [line for line in caplog.messages if source["id"] in line]
    assert 1 <= len(said) <= 6, said
