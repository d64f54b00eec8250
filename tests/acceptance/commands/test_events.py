"""`GET /v1/events`: the tenant's log in its order, nothing left out, nothing twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest

from producers.outbox.store import MOST_BYTES, MOST_SCANNED
from tests.acceptance.answers import problem
from tests.acceptance.ingress.senders import accepted, create, sql
from tests.acceptance.world import World
from tests.factories import new_id

INSERT = """
    INSERT INTO events (topic, key, value, headers, id, type, tenant_id, aggregate_id, version,
        correlation_id, time,
                        is_copy)
    SELECT 't', 'k', convert_to(json_build_object('id', $1 || n::text)::text, 'UTF8'), '[]',
        gen_random_uuid(), $1,
           tenant_id, 'a', 0, gen_random_uuid(), headrace_clock(), $3
    FROM tenants, generate_series(1, $2) AS n WHERE name = 'first'
"""


@pytest.fixture
async def writer(api: World) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else who appends to the log."""
    connection = await asyncpg.connect(api.settings.postgres_url.get_secret_value())
    await connection.execute("SET ROLE headrace_pipeline")
    yield connection
    await connection.close()


async def every(api: World, **asked: Any) -> list[Any]:
    """All pages to the end."""
    found: list[Any] = []
    while True:
        page = await api.get("/v1/events", **asked)
        found += page["data"]
        asked["cursor"] = page["next_cursor"]
        if not page["has_more"]:
            return found


def ids(events: list[Any]) -> list[str]:
    return [one["id"] for one in events]


async def test_the_log_is_read_in_its_order_as_it_stands_on_kafka(api: World) -> None:
    source = await create(api, "shop")
    made = [
        (await accepted(api, source, b'{"a": "\\u00fc"}', f"id-{n}"))["event_id"] for n in range(7)
    ]
    dataset = await api.upload("a", b"a,b\n1,2\n")
    made.append(await sql(api, "SELECT id::text FROM events WHERE aggregate_id = $1", dataset))
    assert ids(await every(api, limit=3)) == made
    assert ids(await every(api, limit=3, order="desc")) == made[::-1]
    (first,) = (await api.get("/v1/events", limit=1))["data"]
    assert first == json.loads(
        await sql(api, "SELECT convert_from(value, 'UTF8') FROM events ORDER BY seq LIMIT 1")
    )
    end = await api.get("/v1/events", cursor="latest")
    assert (end["data"], end["has_more"]) == ([], False)
    late = (await accepted(api, source, b"{}", "late"))["event_id"]
    assert ids(await every(api, cursor=end["next_cursor"])) == [late]
    assert (await api.get("/v1/events", order="desc", limit=50))["next_cursor"] is None


@pytest.mark.foreign("rows whose bytes nobody looks at: the log is read as it stands")
async def test_filters(api: World, writer: asyncpg.Connection) -> None:
    shop, crm = await create(api, "shop"), await create(api, "crm")
    one = (await accepted(api, shop, b"{}", "1"))["event_id"]
    two = (await accepted(api, crm, b"{}", "2"))["event_id"]
    await api.upload("a", b"a,b\n1,2\n")
    await writer.execute(INSERT, "copied", 3, True)
    now, hour = datetime.now(UTC), timedelta(hours=1)
    assert ids(await every(api, source=shop["id"])) == [one]
    assert ids(await every(api, correlation=two)) == [two]
    assert [event["type"] for event in await every(api, topic="headrace.datasets")] == [
        "dataset.submitted"
    ]
    assert ids(await every(api, type="webhook.received", limit=1)) == [one, two]
    for bounds, length in (
        ({"from": (now - hour).isoformat()}, 3),
        ({"from": (now + hour).isoformat()}, 0),
        ({"to": (now - hour).isoformat()}, 0),
        ({"from": (now - hour).isoformat(), "to": (now + hour).isoformat()}, 3),
    ):
        assert len(await every(api, **bounds)) == length, bounds
    assert len(await every(api)) == 3, "copies of dead letters are in nobody's log"
    async with await api.another_tenant("second") as second:
        for asked in ({}, {"source": shop["id"]}, {"correlation": one}):
            assert (await second.get("/v1/events", params=asked)).json()["data"] == []


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param("COMMIT", marks=pytest.mark.foreign("a row whose bytes nobody looks at")),
        "ROLLBACK",
    ],
)
async def test_what_commits_late_is_not_passed_by(
    api: World, writer: asyncpg.Connection, ends: str
) -> None:
    source = await create(api, "shop")
    before = (await accepted(api, source, b"{}", "before"))["event_id"]
    assert ids((await api.get("/v1/events"))["data"]) == [before]
    await writer.execute("BEGIN")
    await writer.execute(INSERT, "late", 1, False)
    after = [(await accepted(api, source, b"{}", f"after-{n}"))["event_id"] for n in range(2)]

    page = await api.get("/v1/events")
    assert ids(page["data"]) == [before], (
        "what came after is held back while a lower seq may still come"
    )
    again = await api.get("/v1/events", cursor=page["next_cursor"])
    assert (again["data"], again["has_more"]) == ([], False)
    assert ids((await api.get("/v1/events", order="desc"))["data"]) == [before]

    await writer.execute(ends)
    rest = ids(await every(api, cursor=again["next_cursor"]))
    assert rest == (["late1"] if ends == "COMMIT" else []) + after


@pytest.mark.foreign("rows whose bytes nobody looks at: the log is read as it stands")
async def test_readers_beside_many_writers_miss_nothing(api: World) -> None:
    """Many transactions that commit in another order than that of their seqs, and a reader that
    never waits.
    """
    url = api.settings.postgres_url.get_secret_value()
    writers = [
        await asyncpg.connect(url, server_settings={"role": "headrace_pipeline"}) for _ in range(8)
    ]
    done = asyncio.Event()

    async def write(number: int, connection: asyncpg.Connection) -> None:
        for place in range(25):
            async with connection.transaction():
                await connection.execute(INSERT, f"w{number}-{place}-", 2, False)
                await connection.execute("SELECT pg_sleep($1)", ((number * 7 + place) % 5) / 200)

    async def read() -> list[str]:
        found: list[str] = []
        cursor, last = None, False
        while True:
            page = await api.get("/v1/events", limit=500, **({"cursor": cursor} if cursor else {}))
            found += ids(page["data"])
            cursor = page["next_cursor"]
            if last and not page["has_more"]:
                return found
            last = done.is_set()

    reading = asyncio.create_task(read())
    await asyncio.gather(*map(write, range(8), writers))
    done.set()
    found = await reading
    for connection in writers:
        await connection.close()
    assert len(found) == len(set(found)) == 8 * 25 * 2
    assert found == ids(await every(api, limit=500))


@pytest.mark.foreign("rows whose bytes nobody looks at: the log is read as it stands")
async def test_a_rare_type_is_found_without_reading_the_whole_log_at_once(
    api: World, writer: asyncpg.Connection
) -> None:
    await writer.execute(INSERT, "common", MOST_SCANNED + 10, False)
    await writer.execute(INSERT, "rare", 2, False)
    page = await api.get("/v1/events", type="rare")
    assert (page["data"], page["has_more"]) == ([], True)
    assert ids(await every(api, type="rare")) == ["rare1", "rare2"]
    assert ids(await every(api, type="rare", order="desc")) == ["rare2", "rare1"]
    assert len(await every(api, limit=500)) == MOST_SCANNED + 12


async def test_a_page_is_bounded_in_bytes(api: World) -> None:
    source = await create(api, "shop")
    body = json.dumps({"pad": "x" * 700_000}).encode()
    made = [(await accepted(api, source, body, str(n)))["event_id"] for n in range(8)]
    answer = await api.client.get("/v1/events")
    assert len(answer.content) < MOST_BYTES + 900_000
    assert 0 < len(answer.json()["data"]) < 8
    assert ids(await every(api)) == made


async def waiting(api: World, seconds: int, **asked: Any) -> Any:
    return await api.client.get(
        f"/v1/events?{urlencode(asked)}", headers={"Prefer": f"respond-async, wait={seconds}"}
    )


async def test_a_reader_at_the_end_waits_for_its_own(api: World) -> None:
    source = await create(api, "shop")
    cursor = (await api.get("/v1/events", cursor="latest"))["next_cursor"]
    loop = asyncio.get_running_loop()
    began = loop.time()
    readers = [asyncio.create_task(waiting(api, 3600, cursor=cursor)) for _ in range(5)]
    async with await api.another_tenant("second") as second:
        await second.post(
            "/v1/datasets?name=a", content=b"a,b\n1,2\n", headers={"content-type": "text/csv"}
        )
        empty = await second.get(
            f"/v1/events?type=none&cursor={cursor}", headers={"Prefer": "wait=1"}
        )
        assert (empty.json()["data"], empty.headers["preference-applied"]) == ([], "wait=1")
    assert not any(one.done() for one in readers), "somebody else's event is none of theirs"
    made = (await accepted(api, source, b"{}"))["event_id"]
    for answer in await asyncio.gather(*readers):
        assert ids(answer.json()["data"]) == [made]
        assert answer.headers["preference-applied"] == "wait=30"
    assert loop.time() - began < 15
    # At once where there is something already, and where nobody asked to wait.
    assert ids((await waiting(api, 30, cursor=cursor)).json()["data"]) == [made]
    assert (
        "preference-applied"
        not in (await api.client.get("/v1/events", headers={"Prefer": "wait=no"})).headers
    )


@pytest.mark.parametrize(
    "cursor", ["", "x", "é", "bm8", "W10", "WyJhc2MiLCJhIl0", "WyJhc2MiLC0xXQ", "WyJkZXNjIiwxXQ"]
)
async def test_a_cursor_that_nobody_gave_is_422(api: World, cursor: str) -> None:
    problem(await api.client.get("/v1/events", params={"cursor": cursor}), 422, "invalid_cursor")


async def test_an_unknown_source_has_no_events(api: World) -> None:
    assert await every(api, source=str(new_id())) == []
