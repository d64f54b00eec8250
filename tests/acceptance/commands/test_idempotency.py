"""`Idempotency-Key`: one effect and one answer for a key, whatever is repeated, changed or at
once.
"""

import asyncio
from typing import Any

import pytest

from compose.processes.sweeper import once
from tests.acceptance.answers import problem
from tests.acceptance.commands.keyed import events, later, same, sent, training, uploaded
from tests.acceptance.ingress.senders import count, create, sql
from tests.acceptance.world import World


async def test_a_repeated_command_is_answered_as_before(api: World) -> None:
    first, again = await uploaded(api.client, "k"), await uploaded(api.client, "k")
    same(first, again)
    assert again.json() == first.json()
    dataset = first.json()["id"]
    for path, body, kind in (
        ("/v1/jobs", training(dataset), "job.requested"),
        ("/v1/jobs/{job}/cancel", {"reason": "enough"}, "job.cancel_requested"),
    ):
        job = (await events(api, "job.requested"))[0]["subject"] if "{job}" in path else ""
        first = await sent(api.client, path.format(job=job), "k", body)
        assert first.status_code == 202, first.text
        again = await sent(api.client, path.format(job=job), "k", body)
        same(first, again)
        assert again.json() == first.json()
        (event,) = await events(api, kind)
        assert first.headers["headrace-position"] == f"e-{event['id']}"
        assert event["subject"] == first.json()["id"]
    assert await count(api, "events") == await count(api, "outbox") == 3


async def test_an_answer_with_a_secret_is_repeated_without_it(api: World) -> None:
    given = {"name": "shop", "scheme": "github", "secret": "a secret of github's"}
    first, again = (
        await sent(api.client, "/v1/sources", "k", given),
        await sent(api.client, "/v1/sources", "k", given),
    )
    same(first, again)
    shown, withheld = first.json(), again.json()
    assert (shown.pop("secret"), withheld.pop("secret")) == (given["secret"], None)
    assert "rotate" in withheld.pop("note")
    assert withheld == shown
    turn = f"/v1/sources/{shown['id']}/rotate-secret"
    turned, repeated = await sent(api.client, turn, "k"), await sent(api.client, turn, "k")
    same(turned, repeated)
    assert await count(api, "source_secrets") == 2, "turned once"
    kept = await sql(api, "SELECT string_agg(k::text, ' ') FROM idempotency_keys k")
    for secret in (given["secret"], turned.json()["secret"]):
        assert secret not in kept
        assert secret.encode().hex() not in kept
    assert shown["id"] in kept


async def test_the_same_key_for_another_request_is_422(api: World) -> None:
    dataset = (await uploaded(api.client, "k")).json()["id"]
    problem(await uploaded(api.client, "k", b"a,b\n1,3\n"), 422, "idempotency_key_reused")
    problem(await uploaded(api.client, "k", name="other"), 422, "idempotency_key_reused")
    jobs = [
        (await sent(api.client, "/v1/jobs", key, training(dataset))).json()["id"]
        for key in ("k", "l")
    ]
    problem(
        await sent(api.client, "/v1/jobs", "k", training(dataset, "n")),
        422,
        "idempotency_key_reused",
    )
    assert (await sent(api.client, f"/v1/jobs/{jobs[0]}/cancel", "k")).status_code == 202
    problem(
        await sent(api.client, f"/v1/jobs/{jobs[1]}/cancel", "k"), 422, "idempotency_key_reused"
    )
    assert len(await events(api, "job.requested")) == 2


async def test_a_form_and_its_repetition_with_another_boundary_are_the_same(api: World) -> None:
    async def form() -> Any:
        files = {"file": ("a.csv", b"a,b\n1,2\n", "text/csv")}
        headers = {"Idempotency-Key": "k"}
        return await api.client.post(
            "/v1/datasets", data={"name": "small"}, files=files, headers=headers
        )

    first, again = await form(), await form()
    same(first, again)
    assert len(await events(api, "dataset.submitted")) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é", "a\tb"])
async def test_a_bad_key_is_400(api: World, key: str) -> None:
    for path in ("/v1/sources", "/v1/jobs"):
        answer = await api.client.post(
            path, json={"name": "one"}, headers={b"Idempotency-Key": key.encode()}
        )
        problem(answer, 400, "invalid_idempotency_key")
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    problem(
        await api.client.post("/v1/sources", json={"name": "one"}, headers=twice),
        400,
        "invalid_idempotency_key",
    )
    assert await count(api, "sources") == 0


async def test_a_refused_request_leaves_its_key_free(api: World) -> None:
    await create(api, "taken")
    problem(await sent(api.client, "/v1/sources", "k", {"name": "?"}), 422, "invalid_request")
    problem(await sent(api.client, "/v1/sources", "k", {"name": "taken"}), 409, "name_taken")
    assert (await sent(api.client, "/v1/sources", "k", {"name": "free"})).status_code == 201
    problem(await uploaded(api.client, "k", b""), 422, "empty_file")
    assert (await uploaded(api.client, "k")).status_code == 202


async def test_a_failure_of_ours_leaves_the_key_free(api: World) -> None:
    await sql(api, "REVOKE INSERT ON events FROM headrace_pipeline")
    problem(await uploaded(api.client, "k"), 503, "unavailable")
    assert await count(api, "idempotency_keys") == 0
    await sql(api, "GRANT INSERT ON events TO headrace_pipeline")
    answer = await uploaded(api.client, "k")
    assert (answer.status_code, answer.headers.get("idempotency-replayed")) == (202, None)


async def test_fifty_at_once_are_one_effect(api: World) -> None:
    dataset = (await uploaded(api.client, "k")).json()["id"]
    answers = await asyncio.gather(
        *(sent(api.client, "/v1/jobs", "k", training(dataset)) for _ in range(50))
    )
    made = [one for one in answers if one.status_code == 202]
    others = [one for one in answers if one.status_code != 202]
    assert sum("idempotency-replayed" not in one.headers for one in made) == 1
    assert len({one.json()["id"] for one in made}) == 1
    for one in others:
        problem(one, 409, "idempotency_key_running")
        assert int(one.headers["retry-after"]) >= 1
    assert len(await events(api, "job.requested")) == 1
    created = await asyncio.gather(
        *(sent(api.client, "/v1/sources", "k", {"name": "one"}) for _ in range(50))
    )
    assert {one.status_code for one in created} <= {201, 409}
    assert await count(api, "sources") == 1
    assert (await sent(api.client, "/v1/sources", "k", {"name": "one"})).headers[
        "idempotency-replayed"
    ] == "true"


async def test_a_key_is_its_tenants_and_its_principals(api: World) -> None:
    mine = await sent(api.client, "/v1/sources", "k", {"name": "one"})
    async with (
        await api.another_tenant("second") as second,
        await api.another_tenant("first") as colleague,
    ):
        theirs = await sent(second, "/v1/sources", "k", {"name": "two"})
        assert theirs.status_code == 201
        assert theirs.json()["id"] != mine.json()["id"]
        other = await sent(colleague, "/v1/sources", "k", {"name": "three"})
        assert (other.status_code, "idempotency-replayed" in other.headers) == (201, False)


async def test_after_a_day_a_key_begins_anew_and_is_swept(api: World) -> None:
    first = await uploaded(api.client, "k")
    await later(api, "23 hours 59 minutes")
    same(first, await uploaded(api.client, "k"))
    await later(api, "2 minutes")
    anew = await uploaded(api.client, "k", b"a,b\n7,8\n")
    assert (anew.status_code, "idempotency-replayed" in anew.headers) == (202, False)
    assert anew.json()["id"] != first.json()["id"]
    assert len({one["id"] for one in await events(api, "dataset.submitted")}) == 2
    for key in "lmn":
        await uploaded(api.client, key)
    await later(api, "25 hours")
    await uploaded(api.client, "o")
    swept = {one.name: one.rows for one in await once(api.settings, dry_run=False)}
    assert swept["idempotency_keys"] == 4
    assert await count(api, "idempotency_keys") == 1
