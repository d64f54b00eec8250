"""What the door refuses, and what it says then."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from compose.settings import Settings
from tests.acceptance.ingress.senders import count, create, deliver, deliveries, signed, sql
from tests.acceptance.world import World, api_only
from tests.eventually import eventually


@asynccontextmanager
async def limited(settings: Settings, **changes: Any) -> AsyncIterator[World]:
    async with api_only(settings.model_copy(update=changes)) as world:
        yield world


async def test_a_source_over_its_rate_is_told_how_long_to_wait(database_settings: Settings) -> None:
    async with limited(database_settings, webhook_rate_per_source=0.5) as api:
        source = await create(api, "shop")
        good = await deliver(api, source, b"{}", "a")
        over = await deliver(api, source, b"{}", "b")
        assert (good.status_code, over.status_code) == (202, 429)
        assert (good.headers["ratelimit-limit"], good.headers["ratelimit-remaining"]) == ("1", "0")
        assert 0 < int(good.headers["ratelimit-reset"]) <= 2
        assert over.json()["code"] == "rate_limited"
        assert 0 < int(over.headers["retry-after"]) <= 2
        assert (await deliver(api, await create(api, "other"), b"{}")).status_code == 202
        assert await count(api, "events") == 2
        rows = await eventually(lambda: deliveries(api, source, "rejected"), seconds=5)
        assert rows[0]["reason"] == "429 rate_limited: over its rate"
        again = await eventually(
            lambda: deliver(api, source, b"{}", "b"), lambda seen: seen.status_code == 202
        )
        assert again.json()["duplicate"] is False


async def test_a_forgery_takes_nothing_of_the_rate(database_settings: Settings) -> None:
    async with limited(database_settings, webhook_rate_per_source=0.5) as api:
        source = await create(api, "shop")
        for _ in range(3):
            assert (
                await deliver(api, source, b"{}", secret="whsec_" + "A" * 43 + "=")
            ).status_code == 401
        assert (await deliver(api, source, b"{}")).status_code == 202


async def test_a_tenant_over_its_rate_stops_all_its_sources_and_nobody_elses(
    database_settings: Settings,
) -> None:
    async with limited(database_settings, webhook_rate_per_tenant=0.5) as api:
        one, two = await create(api, "one"), await create(api, "two")
        assert (await deliver(api, one, b"{}")).status_code == 202
        over = await deliver(api, two, b"{}")
        assert over.status_code == 429
        assert int(over.headers["retry-after"]) > 0
        async with await api.another_tenant("second") as client:
            theirs = World(api.settings, client, api.transport)
            assert (await deliver(theirs, await create(theirs, "one"), b"{}")).status_code == 202


async def test_nesting_is_bounded(api: World) -> None:
    source = await create(api, "shop")
    deep = await deliver(api, source, b"[" * 101 + b"]" * 101, "deep")
    assert (deep.status_code, deep.json()["code"], deep.json()["details"]) == (
        400,
        "too_deep",
        {"max_depth": 100},
    )
    assert (await deliver(api, source, b"[" * 100_000, "hostile")).status_code == 400
    assert (await deliver(api, source, b"[" * 100 + b"]" * 100, "fits")).status_code == 202
    assert (
        await deliver(api, source, json.dumps({"a": "[" * 500}).encode(), "text")
    ).status_code == 202


async def test_size_is_bounded_before_the_signature(database_settings: Settings) -> None:
    async with limited(database_settings, max_webhook_bytes=1000) as api:
        source = await create(api, "shop")
        assert (await deliver(api, source, b"1" * 1000, "a")).status_code == 202
        over = await deliver(api, source, b"1" * 1001, "b")
        assert (over.status_code, over.json()["code"]) == (413, "body_too_large")

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"1" * 100

        unannounced = await api.client.post(f"/hooks/{source['id']}", content=endless())
        assert unannounced.status_code == 413


async def raw(
    world: World, source: dict[str, Any], parts: list[bytes]
) -> tuple[int, dict[str, Any]]:
    """A client that sends these parts of a body and then nothing more, without leaving."""
    body = b'{"a": 1}'
    headers = [(name.encode(), value.encode()) for name, value in signed(source, body).items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/hooks/{source['id']}",
        "query_string": b"",
        "headers": [*headers, (b"content-length", b"8"), (b"content-type", b"application/json")],
    }
    waiting = list(parts)
    sent: list[Any] = []

    async def receive() -> Any:
        if not waiting:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": waiting.pop(0), "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    app: Any = world.transport
    async with asyncio.timeout(120):
        await app.app(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


async def test_a_slow_body_is_cut_off(database_settings: Settings) -> None:
    async with limited(database_settings, webhook_body_seconds=0.2) as api:
        source = await create(api, "shop")
        for parts in ([], [b'{"a"'], [b"{", b'"a"', b": 1}"]):
            status, problem = await raw(api, source, parts)
            assert (status, problem["code"]) == (408, "body_too_slow")
        assert await count(api, "requests") == 0


async def status(world: World, source: dict[str, Any], message_id: str) -> int:
    return (await deliver(world, source, b"{}", message_id)).status_code


async def test_a_full_disk_closes_the_door(database_settings: Settings) -> None:
    async with limited(database_settings, free_disk_bytes=1 << 60) as api:
        source = await create(api, "shop")
        refused = await eventually(
            lambda: deliver(api, source, b"{}"), lambda answer: answer.status_code == 503, seconds=5
        )
        assert refused.json()["code"] == "unavailable"
        assert int(refused.headers["retry-after"]) >= 1
        before = await count(api, "events")
        assert await status(api, source, "new") == 503
        assert await count(api, "events") == before


async def test_too_much_unsent_closes_the_door_and_its_age_never(
    database_settings: Settings,
) -> None:
    async with limited(database_settings, unsent_bytes=0) as api:
        source = await create(api, "shop")
        assert await status(api, source, "a") == 202
        await eventually(lambda: status(api, source, "a"), lambda seen: seen == 503, seconds=5)
        await sql(api, "DELETE FROM outbox")
        await eventually(lambda: status(api, source, "a"), lambda seen: seen == 202, seconds=5)
    async with limited(database_settings, unsent_bytes=10_000_000) as api:
        source = await create(api, "aged")
        assert await status(api, source, "a") == 202
        await sql(api, "UPDATE clock_offset SET value = interval '30 days'")
        before = await sql(api, "SELECT count(*) FROM outbox")
        for number in range(3):
            assert await status(api, source, f"b{number}") == 202
        assert await sql(api, "SELECT count(*) FROM outbox") == before + 3


async def test_other_methods_are_not_for_hooks(api: World) -> None:
    source = await create(api, "shop")
    answer = await api.client.get(f"/hooks/{source['id']}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert (await api.client.post("/hooks/nothing", content=b"{}")).status_code == 401
