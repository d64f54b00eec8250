"""Every scheme through the door, with its own sender on the other side."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.acceptance.ingress.senders import (
    FORM,
    accepted,
    count,
    create,
    deliver,
    deliveries,
    signed,
    sql,
)
from tests.acceptance.world import World

TIMED_HMAC = {
    "header": "x-signature",
    "algorithm": "sha512",
    "encoding": "base64",
    "prefix": "v1=",
    "timestamp_header": "x-time",
    "timestamp_format": "milliseconds",
    "signed": "{timestamp}.{body}",
    "id_path": "event.id",
}
BODY = json.dumps({"id": "evt_1", "event_id": "Ev1", "event": {"id": "e1"}}).encode()
# The scheme, its options, and whether the signature covers the id.
SENDERS: list[tuple[str, dict[str, Any], bool]] = [
    ("standard_webhooks", {}, True),
    ("github", {}, False),
    ("stripe", {}, True),
    ("shopify", {}, False),
    ("slack", {}, True),
    ("hmac", {"header": "x-signature"}, True),
    ("hmac", {"header": "x-signature", "id_header": "x-id"}, False),
    ("hmac", TIMED_HMAC, True),
    ("password", {}, True),
    ("password", {"shown_as": "basic", "id_path": "id"}, False),
    ("password", {"shown_as": "bearer", "id_header": "x-id"}, False),
]


@pytest.mark.parametrize(("scheme", "options", "signs_id"), SENDERS, ids=lambda one: str(one)[:40])
async def test_a_sender_of_each_scheme(
    api: World, scheme: str, options: dict[str, Any], signs_id: bool
) -> None:
    source = await create(api, "one", scheme=scheme, options=options)
    first = await accepted(api, source, BODY)
    assert first["duplicate"] is False
    assert await accepted(api, source, BODY) == {**first, "duplicate": True}
    assert await count(api, "events") == 1
    wrong = await deliver(
        api,
        source,
        BODY,
        secret=(await create(api, "two", scheme=scheme, options=options))["secret"],
    )
    assert (wrong.status_code, wrong.json()["code"]) == (401, "unauthorized")
    assert await sql(api, "SELECT bool_or(unsigned_id) FROM inbox_keys") is (not signs_id)
    kept = (await api.get(f"/v1/requests/{first['request_id']}"))["headers"]
    assert source["secret"] not in str(kept)
    assert not [
        name for name in kept if "signature" in name or "hmac" in name or name == "authorization"
    ]


@pytest.mark.parametrize("scheme", ["github", "shopify"])
async def test_a_known_body_under_a_new_unsigned_id_may_be_a_replay(
    api: World, scheme: str
) -> None:
    source = await create(api, "one", scheme=scheme)
    first = await accepted(api, source, BODY, "id-1")
    again = await accepted(api, source, BODY, "id-2")
    other = await accepted(api, source, b"{}", "id-3")
    assert again["duplicate"] is other["duplicate"] is False
    assert again["event_id"] != first["event_id"]
    flags = [
        (await api.get(f"/v1/requests/{one['request_id']}"))["possible_replay"]
        for one in (first, again, other)
    ]
    assert flags == [False, True, False]
    elsewhere = await accepted(api, await create(api, "two", scheme=scheme), BODY, "id-4")
    assert (await api.get(f"/v1/requests/{elsewhere['request_id']}"))["possible_replay"] is False


async def test_a_known_body_under_a_new_signed_id_is_none(api: World) -> None:
    source = await create(api, "one")
    await accepted(api, source, BODY, "id-1")
    again = await accepted(api, source, BODY, "id-2")
    assert (await api.get(f"/v1/requests/{again['request_id']}"))["possible_replay"] is False


async def test_slacks_challenge_is_answered_and_not_stored(api: World) -> None:
    source = await create(api, "one", scheme="slack")
    asked = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aBm2r"}).encode()
    answer = await deliver(api, source, asked)
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (
        200,
        "3eZbrw1aBm2r",
        "text/plain",
    )
    assert await count(api, "events") == 0
    assert (await deliver(api, source, asked, secret="another secret of 16")).status_code == 401


@pytest.mark.parametrize("scheme", ["github", "slack"])
async def test_forms_are_taken_where_the_provider_sends_them(api: World, scheme: str) -> None:
    source = await create(api, "one", scheme=scheme)
    body = urlencode({"payload": json.dumps({"action": "opened", "text": "ü"})}).encode()
    answer = await deliver(api, source, body, content_type=f"{FORM}; charset=utf-8")
    assert answer.status_code == 202, answer.text
    assert (await api.get(f"/v1/requests/{answer.json()['request_id']}"))["content_type"] == FORM


async def test_a_form_is_refused_where_nobody_sends_one(api: World) -> None:
    source = await create(api, "one", scheme="stripe")
    refused = await deliver(api, source, BODY, content_type=FORM)
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media_type")
    forged = await deliver(api, source, BODY, content_type=FORM, secret="whsec_0123456789abcdef")
    assert forged.status_code == 401, "who cannot sign is not told that the source exists"
    assert (
        await deliver(api, source, BODY, content_type="application/cloudevents+json")
    ).status_code == 202


async def test_a_password_is_kept_as_its_digest(api: World) -> None:
    source = await create(api, "one", scheme="password")
    assert source["secret"].startswith("hrpw_")
    assert (await accepted(api, source, BODY))["duplicate"] is False
    wrong = source["secret"][:-1] + ("A" if source["secret"][-1] != "A" else "B")
    assert (await deliver(api, source, BODY, "id-2", secret=wrong)).status_code == 401


async def test_a_body_that_is_not_text_is_kept_as_it_is(api: World) -> None:
    source = await create(api, "one", scheme="password")
    answer = await deliver(api, source, b"\xff\xfe{}")
    assert answer.status_code == 202, answer.text
    data = json.loads(await sql(api, "SELECT convert_from(value, 'UTF8') FROM events"))["data"]
    assert (data["body_encoding"], data["body"], data["external_id"]) == (
        "base64",
        "//57fQ==",
        None,
    )


@pytest.mark.parametrize("scheme", ["standard_webhooks", "github", "stripe", "shopify", "slack"])
async def test_a_broken_signature_is_401_and_says_nothing(api: World, scheme: str) -> None:
    source = await create(api, "one", scheme=scheme)
    good = signed(source, BODY)
    unknown = await api.client.post(
        "/hooks/00000000-0000-7000-8000-000000000009", content=BODY, headers=good
    )
    for name, value in good.items():
        for broken in ("", "v1,", "sha256=", "t=,v1=", "ÿ", "9" * 5000, value[:-1], value + "0"):
            sent = {**good, "content-type": "application/json", name: broken}
            headers = [(key.encode(), text.encode("latin-1")) for key, text in sent.items()]
            answer = await api.client.post(f"/hooks/{source['id']}", content=BODY, headers=headers)
            is_id = name in ("x-github-delivery", "x-shopify-webhook-id")
            assert answer.status_code == (202 if is_id else 401), (name, broken, answer.text)
            if not is_id:
                assert answer.json()["message"] == unknown.json()["message"]
    assert {row["outcome"] for row in await deliveries(api, source)} <= {
        "accepted",
        "duplicate",
        "rejected",
    }
