"""Pages of what was delivered, and the bytes of one delivery."""

import base64
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from producers.webhooks.normalize import INLINE_BYTES
from tests.acceptance.answers import problem
from tests.acceptance.ingress.senders import FORM, accepted, create, deliver, sql
from tests.acceptance.world import World
from tests.eventually import eventually

WRONG = f"whsec_{base64.b64encode(b'x' * 24).decode()}"


async def every(api: World, **asked: Any) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    while True:
        page = await api.get("/v1/requests", **asked)
        found += page["data"]
        if page["next_cursor"] is None:
            return found
        asked["cursor"] = page["next_cursor"]


async def test_pages_of_every_size_are_the_same_list(api: World) -> None:
    shop, crm = await create(api, "shop"), await create(api, "crm")
    for number in range(5):
        await accepted(api, shop, b"{}", f"id-{number}")
        await accepted(api, crm, b"{}", f"id-{number}")
        await accepted(api, shop, b"{}", f"id-{number}")
        assert (await deliver(api, shop, b"{}", secret=WRONG)).status_code == 401
    await eventually(lambda: every(api, outcome="rejected"), lambda rows: len(rows) == 5)
    whole = await every(api, limit=200)
    assert len(whole) == 20
    assert [one["received_at"] for one in whole] == sorted(
        (one["received_at"] for one in whole), reverse=True
    )
    assert set(whole[0]) == set(whole[-1])
    assert "place" not in whole[0]
    for limit in (1, 3, 19, 20):
        assert await every(api, limit=limit) == whole, limit
    for asked, length in (
        ({"outcome": "duplicate"}, 5),
        ({"outcome": "rejected"}, 5),
        ({"outcome": "accepted"}, 10),
        ({"source_id": crm["id"]}, 5),
        ({"source_id": shop["id"], "outcome": "accepted"}, 5),
    ):
        assert len(await every(api, limit=2, **asked)) == length, asked
    middle = whole[9]["received_at"]
    newer, older = (
        await every(api, limit=3, **{"from": middle}),
        await every(api, limit=3, to=middle),
    )
    assert (newer, older) == (whole[:10], whole[10:])


async def test_deliveries_of_one_moment_are_all_listed(api: World) -> None:
    source = await create(api, "shop")
    for number in range(6):
        await accepted(api, source, b"{}", f"id-{number}")
        await accepted(api, source, b"{}", f"id-{number}")
    for table in ("requests", "request_repeats"):
        await sql(api, f"UPDATE {table} SET received_at = '2026-01-01T00:00:00Z'")
    assert len({(one["id"], one["outcome"]) for one in await every(api, limit=1)}) == 12


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwiYiJd", "WyIyMDI2LTAxLTAxIiwiYiJd", "WzEsMl0"])
async def test_a_cursor_that_nobody_gave_is_422(api: World, cursor: str) -> None:
    problem(await api.client.get("/v1/requests", params={"cursor": cursor}), 422, "invalid_cursor")


async def test_a_body_is_given_back_as_it_came(api: World) -> None:
    hook = await create(
        api, "any", scheme="hmac", options={"header": "x-signature", "id_header": "x-id"}
    )
    for number, (content, kind) in enumerate(
        (
            (b'{"a": "\xc3\xbc"}', "application/json"),
            (b"\xff\x00not text", "application/json"),
            (b"a=1&b=2", FORM),
            (json.dumps({"pad": "x" * INLINE_BYTES}).encode(), "application/json"),
        )
    ):
        sent = await deliver(api, hook, content, f"id-{number}", content_type=kind)
        assert sent.status_code == 202, sent.text
        answer = await api.client.get(f"/v1/requests/{sent.json()['request_id']}/body")
        assert (answer.status_code, answer.content) == (200, content)
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["x-content-type-options"] == "nosniff"
    for path in Path(urlsplit(api.settings.object_store).path).rglob(sent.json()["request_id"]):
        path.unlink()
    problem(
        await api.client.get(f"/v1/requests/{sent.json()['request_id']}/body"), 410, "body_gone"
    )
    assert datetime.fromisoformat((await every(api))[0]["received_at"]).tzinfo
