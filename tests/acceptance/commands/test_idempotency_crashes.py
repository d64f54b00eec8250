"""A process that dies, or only seems to, in the middle of a command under a key."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncEngine

from compose.postgres.tenant_transaction import tenant_transaction
from producers.idempotency import store
from producers.idempotency.executor import LEASE_SECONDS, Answer, KeyedExecution
from producers.idempotency.key import Scope
from tests.acceptance.answers import problem
from tests.acceptance.commands.keyed import CSV, events, later, same, sent, training, uploaded
from tests.acceptance.ingress.senders import count, sql
from tests.acceptance.world import World
from tests.eventually import eventually
from tests.factories import new_id


async def claimed(
    api: World, api_engine: AsyncEngine, route: str, body: bytes | None
) -> KeyedExecution:
    """What a process leaves that dies as soon as it has claimed the key `k`."""
    tenant = await sql(api, "SELECT tenant_id FROM tenants WHERE name = 'first'")
    principal = await sql(api, "SELECT id FROM api_keys WHERE tenant_id = $1", tenant)
    scope = Scope(tenant, principal, route, "k")
    hold = store.IdempotencyClaim(scope, new_id(), LEASE_SECONDS)
    digest = None if body is None else scope.fingerprint(body)
    async with tenant_transaction(api_engine, tenant) as tx:
        seed = await store.claim(tx, hold, digest, new_id())
    assert seed is not None
    return KeyedExecution(hold, seed, digest)


async def test_after_a_crash_the_same_ids_come_out_once(
    api: World, api_engine: AsyncEngine
) -> None:
    dead = await claimed(api, api_engine, "POST /v1/datasets", None)
    problem(await uploaded(api.client, "k"), 409, "idempotency_key_running")
    await later(api, f"{LEASE_SECONDS + 1} seconds")
    first = await uploaded(api.client, "k")
    assert first.json()["id"] == str(dead.new_id("dataset"))
    assert first.headers["headrace-position"] == f"e-{dead.new_id('event')}"
    same(first, await uploaded(api.client, "k"))
    assert len(await events(api, "dataset.submitted")) == 1


async def test_after_a_crash_another_body_is_still_another(
    api: World, api_engine: AsyncEngine
) -> None:
    await claimed(api, api_engine, "POST /v1/sources", b'/v1/sources?\n{"name":"one"}')
    problem(
        await sent(api.client, "/v1/sources", "k", {"name": "one"}), 409, "idempotency_key_running"
    )
    await later(api, f"{LEASE_SECONDS + 1} seconds")
    problem(
        await sent(api.client, "/v1/sources", "k", {"name": "two"}), 422, "idempotency_key_reused"
    )
    assert (await sent(api.client, "/v1/sources", "k", {"name": "one"})).status_code == 201


async def test_effect_and_answer_are_one_commit(
    api: World, pipeline: AsyncEngine, api_engine: AsyncEngine
) -> None:
    """Killed after it stored the answer and before its commit: neither is there, and the next
    run does both.
    """
    dead = await claimed(api, api_engine, "POST /v1/datasets", None)
    connection = await pipeline.connect()
    await dead.finish(connection, Answer(202, {"id": "x"}), b"body")
    await connection.invalidate()
    await connection.close()
    await later(api, f"{LEASE_SECONDS + 1} seconds")
    assert (await uploaded(api.client, "k")).json()["id"] == str(dead.new_id("dataset"))
    assert len(await events(api, "dataset.submitted")) == 1


async def test_one_that_only_seemed_dead_commits_nothing(api: World) -> None:
    go = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield CSV
        await go.wait()
        yield b"3,4\n"

    slow = asyncio.create_task(uploaded(api.client, "k", slowly()))
    await eventually(lambda: count(api, "idempotency_keys"))
    waiting = await uploaded(api.client, "k")
    problem(waiting, 409, "idempotency_key_running")
    assert waiting.headers["retry-after"] == "1"

    await later(api, "1 hour")
    second = await uploaded(api.client, "k")
    assert second.status_code == 202
    go.set()
    problem(await slow, 409, "idempotency_key_running")

    same(second, await uploaded(api.client, "k"))
    (event,) = await events(api, "dataset.submitted")
    assert event["subject"] == second.json()["id"]
    root = Path(urlsplit(api.settings.object_store).path)
    assert (root / event["data"]["object_key"]).read_bytes() == CSV
    assert len(list(root.rglob("*.csv"))) == 1, "the slow one took its file away"


async def test_a_run_that_takes_long_keeps_its_key(api: World, api_engine: AsyncEngine) -> None:
    held = await claimed(api, api_engine, "POST /v1/datasets", None)
    for _ in range(3):
        await later(api, f"{LEASE_SECONDS - 1} seconds")
        async with tenant_transaction(api_engine, held.claim.scope.tenant) as tx:
            await store.renew(tx, held.claim)
        problem(await uploaded(api.client, "k"), 409, "idempotency_key_running")


async def test_an_event_under_a_key_carries_the_time_of_its_first_claim(api: World) -> None:
    dataset = (await uploaded(api.client, "k")).json()["id"]
    job = await sent(api.client, "/v1/jobs", "k", training(dataset))
    (event,) = await events(api, "job.requested")
    for one in (event["id"], job.json()["id"]):
        at = datetime.fromtimestamp(int(one.replace("-", "")[:12], 16) / 1000, UTC)
        assert abs((datetime.fromisoformat(event["time"]) - at).total_seconds()) < 5
        assert one[14] == "8", "derived, not new"
