"""Sources: configured through the API, with versions that two writers cannot overwrite for one
another.
"""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from compose.settings import Settings
from tests.acceptance.ingress.senders import accepted, count, create, deliver, sql
from tests.acceptance.world import World, api_only
from tests.eventually import eventually

MAPPING = {"dataset_id": "set", "target": "'y'", "model": "name"}
TRAIN = {"kind": "command", "mapping": MAPPING}
DATASET = "00000000-0000-7000-8000-000000000001"


async def status(
    world: World, source: dict[str, Any], message_id: str, secret: str | None = None
) -> int:
    return (await deliver(world, source, b"{}", message_id, secret=secret)).status_code


async def test_created_listed_shown_and_the_secret_only_once(api: World) -> None:
    made = await create(api, "shop", action=TRAIN)
    assert made["url"] == f"{api.settings.api_url}/hooks/{made['id']}"
    assert made["action"]["command"] == "train"
    secret = made.pop("secret")
    got = await api.client.get(f"/v1/sources/{made['id']}")
    listed = await api.client.get("/v1/sources")
    assert got.json() == made
    assert listed.json()["data"] == [made]
    assert [(await api.get("/v1/sources", name=name))["data"] for name in ("shop", "sho")] == [
        [made],
        [],
    ]
    assert got.headers["etag"] == '"1"'
    assert secret not in got.text + listed.text
    again = await api.client.post("/v1/sources", json={"name": "shop"})
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")


async def test_behind_a_proxy_the_url_is_what_others_call(database_settings: Settings) -> None:
    there = database_settings.model_copy(update={"public_url": "https://hooks.example/headrace/"})
    async with api_only(there) as world:
        made = await create(world, "shop")
        document = await world.get("/openapi.json")
    assert made["url"] == f"https://hooks.example/headrace/hooks/{made['id']}"
    assert document["servers"] == [{"url": "https://hooks.example/headrace"}]


async def test_a_change_is_made_to_what_was_seen(api: World) -> None:
    path = f"/v1/sources/{(await create(api, 'shop'))['id']}"
    first = await api.client.patch(path, json={"name": "shop 2"}, headers={"if-match": '"1"'})
    late = await api.client.patch(path, json={"name": "shop 3"}, headers={"if-match": '"1"'})
    assert first.status_code == 200, first.text
    assert (first.json()["name"], first.headers["etag"]) == ("shop 2", '"2"')
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert late.json()["details"]["etag"] == '"2"'
    assert (
        await api.client.patch(path, json={"name": "shop 3"}, headers={"if-match": "*"})
    ).status_code == 200
    assert (await api.client.delete(path, headers={"if-match": '"1"'})).status_code == 412
    await create(api, "other")
    assert (await api.client.patch(path, json={"name": "other"})).status_code == 409


async def test_a_paused_source_stores_nothing(api: World) -> None:
    source = await create(api, "shop")
    assert await status(api, source, "a") == 202
    await api.client.patch(f"/v1/sources/{source['id']}", json={"paused": True})
    await eventually(lambda: status(api, source, "b"), lambda seen: seen == 403, seconds=5)
    before = await count(api, "events")
    refused = await deliver(api, source, b"{}", "c")
    assert (refused.status_code, refused.json()["code"]) == (403, "source_paused")
    assert await count(api, "events") == before
    await api.client.patch(f"/v1/sources/{source['id']}", json={"paused": False})
    await eventually(lambda: status(api, source, "d"), lambda seen: seen == 202, seconds=5)


async def test_a_deleted_source_is_unknown(api: World) -> None:
    source = await create(api, "shop")
    assert await status(api, source, "a") == 202
    assert (await api.client.delete(f"/v1/sources/{source['id']}")).status_code == 204
    await eventually(lambda: status(api, source, "b"), lambda seen: seen == 401, seconds=5)
    assert (await api.client.get(f"/v1/sources/{source['id']}")).status_code == 404
    assert await count(api, "source_secrets") == await count(api, "source_mappings") == 0
    assert await count(api, "events") >= 1


async def test_a_rotated_secret_leaves_the_one_before_its_grace(api: World) -> None:
    source = await create(api, "shop")
    path = f"/v1/sources/{source['id']}/rotate-secret"
    turned = (await api.client.post(path, json={"grace_seconds": 3600})).json()
    assert turned["secret"] != source["secret"]
    await eventually(
        lambda: status(api, source, "new", turned["secret"]), lambda seen: seen == 202, seconds=5
    )
    assert await status(api, source, "old") == 202
    await sql(api, "UPDATE clock_offset SET value = interval '2 hours'")
    await eventually(lambda: status(api, source, "old"), lambda seen: seen == 401, seconds=5)
    assert await status(api, source, "new-again", turned["secret"]) == 202


async def test_without_grace_the_old_secret_ends_at_once(api: World) -> None:
    source = await create(api, "shop")
    path = f"/v1/sources/{source['id']}/rotate-secret"
    turned = (await api.client.post(path, json={"grace_seconds": 0})).json()
    await eventually(
        lambda: status(api, source, "new", turned["secret"]), lambda seen: seen == 202, seconds=5
    )
    assert await status(api, source, "old") == 401
    last = (await api.client.post(path)).json()
    assert await count(api, "source_secrets") == 2, "what had ended was dropped"
    await eventually(
        lambda: status(api, source, "third", last["secret"]), lambda seen: seen == 202, seconds=5
    )


async def test_however_often_it_is_rotated_two_secrets_are_live(api: World) -> None:
    source = await create(api, "shop")
    path = f"/v1/sources/{source['id']}/rotate-secret"
    turned = [(await api.client.post(path)).json()["secret"] for _ in range(4)]
    assert await count(api, "source_secrets") == 2
    await eventually(
        lambda: status(api, source, "new", turned[-1]), lambda seen: seen == 202, seconds=5
    )
    assert await status(api, source, "before", turned[-2]) == 202
    for older in (source["secret"], *turned[:-2]):
        assert await status(api, source, "older", older) == 401


async def test_of_more_that_an_older_release_left_the_newest_two_count(api: World) -> None:
    source = await create(api, "shop")
    path = f"/v1/sources/{source['id']}/rotate-secret"
    turned = (await api.client.post(path)).json()["secret"]
    assert await status(api, source, "before", source["secret"]) == 202
    more = """
        INSERT INTO source_secrets (tenant_id, source_id, id, sealed, created_at)
        SELECT tenant_id, source_id, gen_random_uuid(), sealed,
            created_at + interval '1 microsecond'
        FROM source_secrets ORDER BY created_at DESC LIMIT 1
    """
    await sql(api, more)
    await eventually(
        lambda: status(api, source, "old", source["secret"]), lambda seen: seen == 401, seconds=5
    )
    assert await status(api, source, "new", turned) == 202


async def test_secrets_are_sealed_for_their_source_alone(api: World) -> None:
    one, two = (
        await create(api, "one"),
        await create(api, "two", scheme="github", secret="a secret of github's"),
    )
    assert await status(api, one, "a") == await status(api, two, "a") == 202
    whole = await sql(api, "SELECT string_agg(encode(sealed, 'escape'), ' ') FROM source_secrets")
    assert one["secret"] not in whole
    assert "a secret of github" not in whole
    swap = """
        UPDATE source_secrets s SET sealed = o.sealed FROM source_secrets o
            WHERE o.source_id <> s.source_id
    """
    await sql(api, swap)
    for source, stranger in ((one, two), (two, one)):
        await eventually(partial(status, api, source, "a"), lambda seen: seen == 503, seconds=5)
        if stranger["scheme"] == "standard_webhooks":
            assert await status(api, source, "c", stranger["secret"]) == 503
    assert await count(api, "events") == 2


async def test_a_dry_run_shows_and_does_nothing(api: World) -> None:
    source = await create(api, "shop", action=TRAIN)
    path = f"/v1/sources/{source['id']}/dry-run"
    payload = {"set": DATASET, "name": "wine"}
    good = (await api.client.post(path, json={"payload": payload})).json()
    assert good["mapping_version"] == 1
    assert good["becomes"] == {
        "kind": "command",
        "dataset_id": DATASET,
        "target": "y",
        "model": "wine",
        "options": {},
    }
    bad = await api.client.post(path, json={"payload": {"name": "wine"}})
    assert (bad.status_code, bad.json()["code"]) == (422, "unmappable")
    other = {"payload": payload, "action": {"kind": "forward"}}
    assert (await api.client.post(path, json=other)).json()["becomes"] == {"kind": "forward"}
    assert await count(api, "events") == 0


async def test_a_dry_run_past_its_budget_is_refused(api: World) -> None:
    source = await create(api, "shop")
    endless = {"kind": "command", "mapping": {**MAPPING, "model": "|".join(["[*]"] * 90)}}
    tried = await api.client.post(
        f"/v1/sources/{source['id']}/dry-run", json={"payload": [1] * 25_000, "action": endless}
    )
    assert (tried.status_code, tried.json()["code"]) == (422, "unmappable")
    assert "too much work" in tried.json()["message"]


async def test_every_version_of_a_mapping_is_kept(api: World) -> None:
    source = await create(api, "shop")
    path = f"/v1/sources/{source['id']}"
    changed = await api.client.patch(path, json={"action": TRAIN})
    assert changed.json()["mapping_version"] == 2
    assert changed.json()["action"] == {**TRAIN, "command": "train"}
    same = await api.client.patch(path, json={"action": TRAIN, "paused": True})
    assert (same.json()["mapping_version"], same.json()["version"]) == (2, 3)
    kept = await sql(api, "SELECT array_agg(action->>'kind' ORDER BY version) FROM source_mappings")
    assert kept == ["forward", "command"]
    wrong = {"kind": "command", "mapping": {**MAPPING, "model": "na["}}
    assert (await api.client.patch(path, json={"action": wrong})).status_code == 422


@pytest.mark.parametrize(
    ("scheme", "options"),
    [
        ("github", {"header": "x"}),
        ("hmac", {}),
        ("hmac", {"header": "x", "signed": "{timestamp}.{body}"}),
        ("hmac", {"header": "x", "id_path": "length(@)"}),
        ("password", {"shown_as": "cookie"}),
        ("hmac", {"header": "x", "id_header": "a", "id_path": "b"}),
    ],
)
async def test_options_are_the_schemes(api: World, scheme: str, options: dict[str, Any]) -> None:
    answer = await api.client.post(
        "/v1/sources", json={"name": "a", "scheme": scheme, "options": options}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_options"), answer.text


async def test_a_secret_must_fit_its_scheme(api: World) -> None:
    for scheme, secret in (
        ("standard_webhooks", "whsec_c2hvcnQ="),
        ("stripe", "sk_live_0123456789abcdef"),
        ("github", "short"),
        ("password", "hrpw_mine"),
    ):
        answer = await api.client.post(
            "/v1/sources", json={"name": "a", "scheme": scheme, "secret": secret}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_secret"), answer.text


async def test_nobody_else_sees_or_touches_it(api: World) -> None:
    source = await create(api, "shop")
    request = (await accepted(api, source, b"{}"))["request_id"]
    path = f"/v1/sources/{source['id']}"
    async with await api.another_tenant("second") as stranger:
        for method, where, body in (
            ("GET", path, None),
            ("PATCH", path, {"paused": True}),
            ("DELETE", path, None),
            ("POST", f"{path}/rotate-secret", {}),
            ("POST", f"{path}/dry-run", {"payload": {}}),
            ("GET", f"/v1/requests/{request}", None),
        ):
            theirs = await stranger.request(method, where, json=body)
            nobodys = await stranger.request(
                method, where.replace(where.split("/")[3], str(uuid4())), json=body
            )
            assert theirs.status_code == nobodys.status_code == 404, (method, where, theirs.text)
            assert theirs.json()["message"] == nobodys.json()["message"]
        assert (await stranger.get("/v1/sources")).json()["data"] == []
        assert (await stranger.get("/v1/sources?name=shop")).json()["data"] == []
        assert (await stranger.get("/v1/requests")).json()["data"] == []
    assert (await api.get(path))["version"] == 1
