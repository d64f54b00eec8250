"""One key cannot fill the disk: each tenant has so many bytes, and uploads leave room to the
door.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx

from compose.settings import Settings
from compose.tenant_limits import change
from tests.acceptance.answers import problem
from tests.acceptance.ingress.senders import signed
from tests.acceptance.world import World, api_only
from tests.eventually import eventually

CSV = {"content-type": "text/csv"}
LARGE = b'"' + b"x" * (800 << 10) + b'"'


async def upload(client: httpx.AsyncClient, content: Any) -> httpx.Response:
    return await client.post("/v1/datasets", params={"name": "t"}, content=content, headers=CSV)


async def storage(world: World) -> dict[str, Any]:
    rows = (await world.get("/v1/limits"))["data"]
    return next(row for row in rows if row["name"] == "tenant_storage_bytes")


def stored(settings: Settings) -> int:
    """Bytes of all files in the object store."""
    root = Path(urlsplit(settings.object_store).path)
    return sum(one.stat().st_size for one in root.rglob("*") if one.is_file())


async def test_a_tenant_over_its_bytes_is_refused_and_nobody_else(
    database_settings: Settings,
) -> None:
    settings = database_settings.model_copy(update={"tenant_storage_bytes": 5000})
    async with api_only(settings) as world:
        assert (await upload(world.client, b"x" * 3000)).status_code == 202
        over = await upload(world.client, b"x" * 3000)
        found = problem(over, 429, "quota_exceeded")
        assert found["details"] == {"meter": "storage_bytes", "limit": 5000, "used": 3000}
        assert stored(settings) == 3000
        assert await storage(world) == {
            "name": "tenant_storage_bytes",
            "value": 5000,
            "unit": "bytes in the object store",
            "origin": "settings",
            "used": 3000,
        }
        async with await world.another_tenant("second") as second:
            assert (await upload(second, b"x" * 5000)).status_code == 202
        await change(settings, "first", {"tenant_storage_bytes": 6000})
        assert (await upload(world.client, b"x" * 3000)).status_code == 202
        assert ((await storage(world))["used"], (await storage(world))["origin"]) == (
            6000,
            "tenant",
        )


async def test_uploads_side_by_side_do_not_pass_together(database_settings: Settings) -> None:
    settings = database_settings.model_copy(update={"tenant_storage_bytes": 5000})

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 100

    async with api_only(settings) as world:
        answers = await asyncio.gather(
            *(upload(world.client, b"x" * 1000) for _ in range(6)),
            *(upload(world.client, slowly()) for _ in range(6)),
        )
        codes = [answer.status_code for answer in answers]
        assert set(codes) == {202, 429}
        assert codes.count(202) <= 5
        assert stored(settings) == (await storage(world))["used"] == codes.count(202) * 1000
        while (await upload(world.client, b"x" * 1000)).status_code == 202:
            pass
        assert (await storage(world))["used"] == 5000


async def test_an_upload_of_unknown_length_is_cut_off_at_the_limit(
    database_settings: Settings,
) -> None:
    settings = database_settings.model_copy(update={"tenant_storage_bytes": 100_000})
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield b"x" * 1000

    async with api_only(settings) as world:
        problem(await upload(world.client, endless()), 429, "quota_exceeded")
        assert sent < 200_000
        assert (stored(settings), (await storage(world))["used"]) == (0, 0)


async def test_large_webhooks_count_and_small_ones_go_on(database_settings: Settings) -> None:
    settings = database_settings.model_copy(update={"tenant_storage_bytes": 1_500_000})
    async with api_only(settings) as world:
        source = await world.source("shop")
        assert (await world.send(source, LARGE, "a")).status_code == 202
        again = await world.send(source, LARGE, "b")
        assert problem(again, 429, "quota_exceeded")["details"]["used"] == len(LARGE)
        assert (await world.send(source, b"{}", "c")).status_code == 202
        await change(settings, "first", {"tenant_storage_bytes": 9_000_000})
        repeated = await world.send(source, LARGE, "a")
        assert (repeated.status_code, repeated.json()["duplicate"]) == (202, True)
        assert (stored(settings), (await storage(world))["used"]) == (len(LARGE), len(LARGE))


async def test_a_large_webhook_that_cannot_be_stored_leaves_nothing(
    database_settings: Settings,
) -> None:
    async with api_only(database_settings) as world:
        source = await world.source("shop")
        headers = {
            **signed(source, LARGE),
            "content-type": "application/json",
            "svix-timestamp": "a\x00b",
        }
        problem(
            await world.client.post(f"/hooks/{source['id']}", content=LARGE, headers=headers),
            400,
            "not_storable",
        )
        assert (stored(database_settings), (await storage(world))["used"]) == (0, 0)


async def test_one_tenants_large_webhooks_hold_up_nobody_else(
    database_settings: Settings, database: str
) -> None:
    """Its holds wait for a lock; they take one connection, and are answered 503."""
    async with api_only(database_settings) as world, await world.another_tenant("second") as second:
        source = await world.source("shop")
        assert (await world.send(source, LARGE, "first")).status_code == 202
        connection = await asyncpg.connect(database)
        async with connection.transaction():
            await connection.execute("SET LOCAL ROLE headrace_pipeline")
            assert await connection.fetch("SELECT FROM tenant_storage FOR UPDATE")
            sent = [asyncio.create_task(world.send(source, LARGE, str(one))) for one in range(6)]
            await eventually(lambda: waiting(connection), lambda found: found > 0)
            for key in ("a", "b"):
                answer = await asyncio.wait_for(
                    second.post(
                        "/v1/datasets",
                        params={"name": "t"},
                        content=b"a,b\n1,2\n",
                        headers={**CSV, "idempotency-key": key},
                    ),
                    120,
                )
                assert answer.status_code == 202
            assert await waiting(connection) == 1
            done, _ = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
            problem(done.pop().result(), 503, "unavailable")
        await connection.close()
        assert {answer.status_code for answer in await asyncio.gather(*sent)} <= {202, 503}


async def waiting(connection: asyncpg.Connection) -> int:
    """Statements that wait for another transaction."""
    return int(
        await connection.fetchval("""
        SELECT count(DISTINCT pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE a.datname = current_database() AND NOT granted
    """)
    )


async def test_uploads_stop_before_the_door_does(database_settings: Settings) -> None:
    settings = database_settings.model_copy(update={"upload_free_disk_bytes": 1 << 60})
    async with api_only(settings) as world:
        source = await world.source("shop")
        problem(await upload(world.client, b"a,b\n1,2\n"), 503, "unavailable")
        assert (await world.send(source, b"{}", "small")).status_code == 202
        assert (await world.send(source, LARGE, "large")).status_code == 202
        assert (await storage(world))["used"] == len(LARGE)


async def test_a_full_object_store_on_another_disk_closes_only_what_goes_there(
    database_settings: Settings, tmp_path: Path
) -> None:
    """Two disks; the one with less free is the object store's, and that is too little."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as shared:
        small, large = sorted((Path(shared), tmp_path), key=lambda one: shutil.disk_usage(one).free)
        between = (shutil.disk_usage(small).free + shutil.disk_usage(large).free) // 2
        settings = database_settings.model_copy(
            update={
                "object_store": f"file://{small}/objects",
                "postgres_data_dir": large,
                "free_disk_bytes": between,
                "upload_free_disk_bytes": between,
            }
        )
        async with api_only(settings) as world:
            source = await world.source("shop")
            problem(await upload(world.client, b"a,b\n1,2\n"), 503, "unavailable")
            problem(await world.send(source, LARGE, "large"), 503, "unavailable")
            for number in range(3):
                assert (await world.send(source, b"{}", f"{number}")).status_code == 202
        full = settings.model_copy(update={"postgres_data_dir": small})
        async with api_only(full) as world:
            source = await world.source("other")

            async def code() -> int:
                return (await world.send(source, b"{}", "x")).status_code

            await eventually(code, lambda seen: seen == 503, seconds=10)
