"""What a sender is told when its webhook cannot be taken; nothing of it is kept."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.settings import Settings
from producers.webhooks.verification.standard_webhooks import secret_from, sign
from tests.acceptance.answers import problem, untraced
from tests.acceptance.world import World, api_only
from tests.factories import new_id

JSON = {"content-type": "application/json"}
BODY = b'{"hello": "world"}'


async def post(
    world: World,
    source_id: str,
    headers: Mapping[str, str],
    content: bytes | AsyncIterator[bytes] = BODY,
) -> httpx.Response:
    return await world.client.post(
        f"/hooks/{source_id}",
        content=content,
        headers=[(name.encode(), value.encode()) for name, value in headers.items()],
    )


def signed(secret: str, body: bytes = BODY, at: datetime | None = None) -> dict[str, str]:
    return sign(body, secret, message_id="msg_1", now=at or datetime.now(UTC)) | JSON


async def rows(pipeline: AsyncEngine) -> int:
    """Events, requests and claimed identities together."""
    counting = (
        "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM requests) + (SELECT "
        "count(*) FROM inbox_keys)"
    )
    async with pipeline.begin() as tx:
        return int((await tx.execute(text(counting))).scalar_one())


async def test_every_forgery_gets_the_same_answer(
    database_settings: Settings, pipeline: AsyncEngine
) -> None:
    async with api_only(database_settings) as world:
        source = await world.source("github")
        secret, now = source["secret"], datetime.now(UTC)
        other = await world.source("other")
        good = signed(secret)
        answers = [
            await post(world, source["id"], signed(secret_from(bytes(32)))),
            await post(world, source["id"], signed(secret), b'{"hello": "World"}'),
            await post(world, source["id"], JSON),
            await post(world, source["id"], good | {"webhook-signature": "v1,é"}),
            await post(
                world,
                source["id"],
                good | {"webhook-signature": "v2," + good["webhook-signature"][3:]},
            ),
            await post(world, source["id"], good | {"webhook-id": ""}),
            await post(world, source["id"], good | {"webhook-timestamp": "9" * 40}),
            await post(world, source["id"], good | {"webhook-timestamp": "-1"}),
            await post(world, source["id"], signed(secret, at=now - timedelta(seconds=301))),
            await post(world, source["id"], signed(secret, at=now + timedelta(seconds=310))),
            await post(world, other["id"], good),
            await post(world, str(new_id()), good),
            await post(world, "00000000-0000-0000-0000-000000000000", good),
            await post(world, "not-a-uuid", good),
            await post(world, source["id"] + "0", good),
            await post(world, source["id"].replace("-", ""), good),
            await post(world, "", good),
            await post(world, "%00", good),
            await post(world, source["id"] + "/more", good),
        ]
        for answer in answers:
            problem(answer, 401, "unauthorized")
        assert len({untraced(answer) for answer in answers}) == 1
        assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
        assert len({tuple(answer.headers) for answer in answers}) == 1
    assert await rows(pipeline) == 0


async def test_only_json_is_taken_by_any_of_its_names(
    database_settings: Settings, pipeline: AsyncEngine
) -> None:
    async with api_only(database_settings) as world:
        source = await world.source("github")
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "multipart/form-data",
            "",
        ):
            answer = await post(
                world, source["id"], signed(source["secret"]) | {"content-type": kind}
            )
            problem(answer, 415, "unsupported_media_type")
        assert await rows(pipeline) == 0
        for kind in (
            "application/json; charset=utf-8",
            "APPLICATION/JSON",
            "application/cloudevents+json",
        ):
            answer = await post(
                world, source["id"], signed(source["secret"]) | {"content-type": kind}
            )
            assert answer.status_code == 202, answer.text


async def test_an_oversized_body_is_413_declared_or_not(
    database_settings: Settings, pipeline: AsyncEngine
) -> None:
    async with api_only(database_settings.model_copy(update={"max_webhook_bytes": 1000})) as world:
        source = await world.source("github")
        largest = b'"' + b"x" * 998 + b'"'
        too_large = largest + b" "

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(too_large), 100):
                yield too_large[start : start + 100]

        declared = await post(world, source["id"], signed(source["secret"], too_large), too_large)
        chunked = await post(world, source["id"], signed(source["secret"], too_large), chunks())
        assert "content-length" not in chunked.request.headers
        lying = await post(
            world,
            source["id"],
            signed(source["secret"], too_large) | {"content-length": "10"},
            chunks(),
        )
        for answer in (declared, chunked, lying):
            assert problem(answer, 413, "body_too_large")["details"] == {"max_bytes": 1000}
        assert await rows(pipeline) == 0
        assert (
            await post(world, source["id"], signed(source["secret"], largest), largest)
        ).status_code == 202
    assert await rows(pipeline) == 3


async def test_only_post_is_allowed(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        source = await world.source("github")
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
            answer = await world.client.request(
                method, f"/hooks/{source['id']}", headers=signed(source["secret"])
            )
            assert answer.headers["allow"] == "POST", method
            problem(answer, 405, "method_not_allowed")


async def test_a_given_trace_is_continued(
    database_settings: Settings, pipeline: AsyncEngine
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    given = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    async with api_only(database_settings) as world:
        source = await world.source("github")
        accepted = await post(world, source["id"], signed(source["secret"]) | given)
        refused = await post(world, source["id"], JSON | given)
        malformed = await post(
            world, source["id"], JSON | {"traceparent": "00-" + "0" * 32 + "-b7ad6b7169203331-01"}
        )
    assert accepted.headers["x-request-id"] == trace
    assert problem(refused, 401, "unauthorized")["trace_id"] == trace
    assert set(problem(malformed, 401, "unauthorized")["trace_id"]) != {"0"}
    async with pipeline.begin() as tx:
        value = (await tx.execute(text("SELECT value FROM events"))).scalar_one()
    assert json.loads(value)["traceparent"] == given["traceparent"]
