"""What senders put around a body: a content coding, half an emoji, an id that is a number.

None of it is lost.
"""

import gzip
import json
import zlib
from hashlib import sha256
from typing import Any

import httpx
import pytest

from compose.processes.api import api as another_process
from tests.acceptance.answers import problem
from tests.acceptance.ingress.senders import JSON, count, create, deliveries, signed, sql
from tests.acceptance.world import World
from tests.eventually import eventually

HMAC = {"scheme": "hmac", "options": {"header": "x-signature", "id_path": "id"}}
PASSWORD = {"scheme": "password", "options": {"id_path": "update_id"}}
READINGS = json.dumps({"id": "r-1", "rows": [{"celsius": n / 4} for n in range(12)]}).encode()


async def sent(
    world: World, source: dict[str, Any], body: bytes, coding: str | None = None, **more: str
) -> httpx.Response:
    """A delivery signed over the bytes as they are sent."""
    headers = {**signed(source, body), "content-type": JSON, **more}
    if coding is not None:
        headers["content-encoding"] = coding
    return await world.client.post(f"/hooks/{source['id']}", content=body, headers=headers)


async def test_a_body_behind_a_coding_is_taken_as_what_it_holds(api: World) -> None:
    source = await create(api, "sensor", **HMAC)
    first = await sent(api, source, gzip.compress(READINGS), "gzip")
    assert first.status_code == 202, first.text
    request = first.json()["request_id"]
    shown = await api.get(f"/v1/requests/{request}")
    assert (shown["external_id"], shown["size_bytes"]) == ("r-1", len(READINGS))
    assert (
        "content-encoding" not in shown["headers"]
    )  # who sends the body on sends it as it is kept
    assert (shown["content_encoding"], shown["body_hash"]) == ("gzip", sha256(READINGS).hexdigest())
    kept = await api.client.get(f"/v1/requests/{request}/body")
    assert (kept.content, kept.headers["content-type"]) == (READINGS, JSON)
    assert "content-encoding" not in kept.headers

    for body, coding in (
        (READINGS, None),
        (READINGS, "identity"),
        (READINGS, ""),
        (gzip.compress(READINGS, 1), "x-gzip"),
        (gzip.compress(READINGS[:9]) + gzip.compress(READINGS[9:]), "GZIP"),
        (zlib.compress(READINGS), "deflate"),
        (zlib.compress(READINGS)[2:-4], "deflate"),
    ):
        again = (await sent(api, source, body, coding)).json()
        assert again == {
            "request_id": request,
            "event_id": first.json()["event_id"],
            "duplicate": True,
        }
    assert await count(api, "events") == 1


async def test_the_signature_is_over_the_bytes_that_were_sent(api: World) -> None:
    source = await create(api, "sensor", **HMAC)
    headers = {**signed(source, READINGS), "content-type": JSON, "content-encoding": "gzip"}
    body = gzip.compress(READINGS)
    answer = await api.client.post(f"/hooks/{source['id']}", content=body, headers=headers)
    problem(answer, 401, "unauthorized")
    # And nobody without the secret learns what is taken, or makes anything inflate.
    for coding in ("br", "gzip"):
        headers = {"content-type": JSON, "content-encoding": coding}
        answer = await api.client.post(f"/hooks/{source['id']}", content=b"x", headers=headers)
        problem(answer, 401, "unauthorized")


async def test_an_inflated_body_has_the_limits_of_any_other(api: World) -> None:
    source = await create(api, "sensor", **HMAC)
    large = b'{"id": "l-1", "text": "' + b"ab" * 400_000 + b'"}'
    taken = await sent(api, source, gzip.compress(large), "gzip")
    assert taken.status_code == 202, taken.text
    kept = await api.client.get(f"/v1/requests/{taken.json()['request_id']}/body")
    assert kept.content == large  # from the object store

    bomb = gzip.compress(b" " * (30 << 20))
    assert problem(await sent(api, source, bomb, "gzip"), 413, "body_too_large")["details"] == {
        "max_bytes": 1 << 20
    }
    deep = gzip.compress(b"[" * 200 + b"]" * 200)
    problem(await sent(api, source, deep, "gzip"), 400, "too_deep")
    for broken in (READINGS, gzip.compress(READINGS)[:-3], gzip.compress(READINGS) + b"x", b""):
        problem(await sent(api, source, broken, "gzip"), 400, "invalid_content_encoding")
    for coding in ("br", "zstd", "gzip, gzip", "deflate, gzip"):
        answer = await sent(api, source, READINGS, coding)
        problem(answer, 415, "unsupported_content_encoding")
        assert answer.headers["accept-encoding"] == "gzip, deflate"
        assert "gzip, deflate" in answer.json()["message"]
    assert await count(api, "events") == 1

    async def noted() -> list[str]:
        return [row["reason"] for row in await deliveries(api, source, "rejected")]

    # The owner of the source sees what the sender does wrong.
    reasons = await eventually(noted, lambda found: len(found) >= 10)
    assert any(
        one.startswith("415 unsupported_content_encoding: Content-Encoding 'br'") for one in reasons
    )
    assert any(
        one.startswith("400 invalid_content_encoding: The body is not gzip") for one in reasons
    )


@pytest.mark.parametrize("text", ["\\ud83d", "\\ude00 x", "\\ud83d\\ud83d"])
async def test_slack_sends_half_an_emoji_again(api: World, text: str) -> None:
    source = await create(api, "chat", scheme="slack", secret="a signing secret of Slack")
    body = (
        b'{"type": "event_callback", "event_id": "Ev1", "event": {"text": "cut '
        + text.encode()
        + b'"}}'
    )
    first = await sent(api, source, body)
    assert (first.status_code, first.json()["duplicate"]) == (202, False)
    # Another signed time and another body: only the id tells that it is the same.
    again = await sent(api, source, body + b" ", **{"x-slack-retry-num": "1"})
    assert (again.json()["duplicate"], again.json()["event_id"]) == (True, first.json()["event_id"])
    (repeated,) = await deliveries(api, source, "duplicate")
    assert repeated["external_id"] == "Ev1"
    assert await count(api, "events") == 1


async def test_an_id_that_is_a_number_is_one(api: World) -> None:
    source = await create(api, "telegram", **PASSWORD)
    first = await sent(api, source, b'{"update_id": 730194411, "attempt": 1}')
    again = await sent(api, source, b'{"update_id": 730194411, "attempt": 2}')
    other = await sent(api, source, b'{"update_id": 730194412, "attempt": 1}')
    assert [one.json()["duplicate"] for one in (first, again, other)] == [False, True, False]
    assert again.json()["body_mismatch"] is True
    assert {one["external_id"] for one in await deliveries(api, source, "accepted")} == {
        "730194411",
        "730194412",
    }


async def test_an_equal_body_counts_again_ten_minutes_after_it_counted(api: World) -> None:
    """Each time another process takes it, by the database's clock."""
    source = await create(api, "button", scheme="password")
    first = (await sent(api, source, b'{"pressed": true}')).json()
    seen = []
    for offset in ("590 seconds", "601 seconds", "1190 seconds"):
        await sql(api, "UPDATE clock_offset SET value = CAST($1 AS text)::interval", offset)
        async with another_process(api.settings) as app:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(
                transport=transport, base_url=api.settings.api_url
            ) as client:
                later = World(api.settings, client, transport)
                seen.append((await sent(later, source, b'{"pressed": true}')).json())
    assert [one["duplicate"] for one in (first, *seen)] == [False, True, False, True]
    assert seen[0]["event_id"] == first["event_id"] != seen[1]["event_id"] == seen[2]["event_id"]
