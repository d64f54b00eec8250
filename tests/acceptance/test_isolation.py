"""Another tenant's things do not exist: every route says so in the same words as of ids that
were never given.
"""

import uuid
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from compose.http.admission import Admission
from compose.http.app import Traced
from compose.settings import Settings
from tests.acceptance.answers import problem, untraced
from tests.acceptance.world import World, api_only
from tests.eventually import eventually
from tests.factories import new_id, shipped_csv

Route = tuple[str, str]
METHODS = ("get", "put", "post", "delete", "patch", "options", "head", "trace")
PAYLOAD = {"a": str(uuid.UUID(int=1)), "b": "t", "c": "m"}
# What each route with an id is about, and the body that makes a request to it valid.
ABOUT: dict[Route, tuple[str, dict[str, Any] | None]] = {
    ("get", "/v1/sources/{source_id}"): ("source_id", None),
    ("get", "/v1/datasets/{dataset_id}"): ("dataset_id", None),
    ("get", "/v1/datasets/{dataset_id}/report"): ("dataset_id", None),
    ("get", "/v1/datasets/{dataset_id}/profile"): ("dataset_id", None),
    ("get", "/v1/jobs/{job_id}"): ("job_id", None),
    ("post", "/v1/jobs/{job_id}/cancel"): ("job_id", {"reason": "not yours"}),
    ("post", "/v1/jobs"): (
        "dataset_id",
        {"kind": "train", "dataset_id": "{dataset_id}", "target": "t", "model": "m"},
    ),
    ("get", "/v1/models/{name}"): ("name", None),
    ("get", "/v1/models/{name}/versions"): ("name", None),
    ("get", "/v1/models/{name}/versions/{number}"): ("name", None),
    ("get", "/v1/models/{name}/versions/{number}/files/{file}"): ("name", None),
    ("get", "/v1/requests/{request_id}"): ("request_id", None),
    ("get", "/v1/requests/{request_id}/body"): ("request_id", None),
    ("get", "/v1/dead-letters/{letter_id}"): ("letter_id", None),
    ("get", "/v1/dead-letters/{letter_id}/raw"): ("letter_id", None),
    ("post", "/v1/replays"): ("letter_id", {"filter": {"ids": ["{letter_id}"]}}),
    ("get", "/v1/replays/{replay_id}"): ("replay_id", None),
    ("post", "/v1/replays/{replay_id}/cancel"): ("replay_id", None),
    ("post", "/v1/requests/{request_id}/replay"): ("request_id", None),
    ("post", "/v1/dead-letters/{letter_id}/discard"): ("letter_id", {"reason": "not yours"}),
    ("post", "/v1/dead-letters/groups/{fingerprint}/discard"): (
        "fingerprint",
        {"reason": "not yours"},
    ),
    ("patch", "/v1/sources/{source_id}"): ("source_id", {"name": "taken over"}),
    ("post", "/v1/sources/{source_id}/rotate-secret"): ("source_id", {}),
    ("post", "/v1/sources/{source_id}/dry-run"): (
        "source_id",
        {"payload": PAYLOAD},
    ),
    ("delete", "/v1/sources/{source_id}"): (
        "source_id",
        None,
    ),  # last: its owner's is gone after it
}
LISTS: tuple[Route, ...] = (
    ("get", "/v1/sources"),
    ("get", "/v1/datasets"),
    ("get", "/v1/jobs"),
    ("get", "/v1/models"),
    ("get", "/v1/metric-trends"),
    ("get", "/v1/metric-trends/summary"),
    ("get", "/v1/usage"),
    ("get", "/v1/dead-letters"),
    ("get", "/v1/dead-letters/groups"),
    ("get", "/v1/replays"),
    ("get", "/v1/requests"),
    ("get", "/v1/streams"),
    ("get", "/v1/events"),
)
ENDED: Route = ("post", "/v1/jobs/{job_id}/cancel")  # the job of `owned` has succeeded
OWN: tuple[Route, ...] = (
    ("get", "/v1/limits"),
)  # everybody has some; tests/acceptance/ingress/test_own_limits.py
CREATES: tuple[Route, ...] = (("post", "/v1/sources"), ("post", "/v1/datasets"))
OF_NO_TENANT: tuple[Route, ...] = (
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/asyncapi.json"),
    ("get", "/metrics"),
    ("post", "/hooks/{source_id}"),
)


@dataclass(frozen=True)
class Owned:
    """What the first tenant has."""

    dataset_id: str
    job_id: str
    source_id: str
    name: str
    open_job_id: str
    request_id: str
    letter_id: str
    fingerprint: str
    replay_id: str


def served(world: World) -> set[Route]:
    """Every method of every path that the API's own document lists."""
    traced = world.transport.app  # type: ignore[attr-defined]
    assert isinstance(traced, Traced)
    admission = traced._app
    assert isinstance(admission, Admission)
    app = admission._app
    assert isinstance(app, FastAPI)
    return {
        (method, path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if method in METHODS
    }


async def owned(world: World) -> Owned:
    """A tenant with something of each kind, and a dead letter."""
    dataset = await world.upload("iris", shipped_csv("iris"))
    job = await world.start_job(dataset, "iris")
    mapping = {"dataset_id": "a", "target": "b", "model": "c"}
    source = await world.source("ci", {"kind": "command", "command": "train", "mapping": mapping})
    await world.source("one that stays")
    columns = {"a": "a", "target": "b"}
    gathering = await world.source(
        "issues", {"kind": "rows", "dataset": "issues", "columns": columns}
    )
    assert (await world.send(gathering, b'{"a": 1}', "msg_1")).status_code == 202
    sent = await world.send(source, b"{}", "msg_1")
    assert sent.status_code == 202
    assert (await world.ended(job))["state"] == "succeeded"
    for path in ("/v1/metric-trends", "/v1/usage", "/v1/dead-letters", "/v1/streams"):
        await eventually(lambda path=path: world.get(path), lambda page: page["data"])  # type: ignore[misc]
    running = await world.start_job(dataset, "iris")
    (letter,) = (await world.get("/v1/dead-letters"))["data"]
    replayed = await world.client.post("/v1/replays", json={"filter": {"ids": [letter["id"]]}})
    assert replayed.status_code == 202
    return Owned(
        dataset,
        job,
        source["id"],
        "iris",
        running,
        sent.json()["request_id"],
        letter["id"],
        letter["fingerprint"],
        replayed.json()["id"],
    )


async def asked(client: httpx.AsyncClient, route: Route, ids: dict[str, str]) -> httpx.Response:
    """One request to a route that is about `ids`."""
    method, path = route
    body = ABOUT[route][1]
    return await client.request(method, path.format(**ids), json=filled(body, ids))


def filled(value: Any, ids: dict[str, str]) -> Any:
    """A body with the ids in it."""
    if isinstance(value, dict):
        return {key: filled(one, ids) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, ids) for one in value]
    return value.format(**ids) if isinstance(value, str) else value


async def test_every_route_of_the_document_has_a_case_here(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        assert served(world) == {*ABOUT, *LISTS, *OWN, *CREATES, *OF_NO_TENANT}


async def test_every_route_without_a_key_is_401(database_settings: Settings) -> None:
    async with (
        api_only(database_settings) as world,
        httpx.AsyncClient(
            transport=world.transport, base_url=database_settings.api_url
        ) as stranger,
    ):
        ids = {
            "source_id": str(new_id()),
            "dataset_id": str(new_id()),
            "job_id": str(new_id()),
            "request_id": str(new_id()),
            "letter_id": str(new_id()),
            "fingerprint": "0" * 16,
            "replay_id": str(new_id()),
            "name": "m",
            "number": "1",
            "file": "model.json",
        }
        for method, path in served(world) - set(OF_NO_TENANT):
            problem(await stranger.request(method, path.format(**ids)), 401, "unauthorized")


async def test_other_tenants_things_do_not_exist(world: World) -> None:
    mine = await owned(world)
    never = {
        "dataset_id": [str(new_id()), str(uuid.uuid4()), str(uuid.UUID(int=0))],
        "job_id": [str(new_id()), mine.dataset_id],
        "source_id": [str(new_id()), mine.job_id],
        "request_id": [str(new_id()), mine.job_id],
        "letter_id": [str(new_id()), mine.job_id],
        "fingerprint": ["0" * 16],
        "replay_id": [str(new_id()), mine.letter_id],
        "name": ["nothing", "iris2", "%27%20OR%201=1"],
    }
    theirs = {name: str(getattr(mine, name)) for name in never} | {
        "number": "1",
        "file": "model.json",
    }
    async with await world.another_tenant("second") as second:
        for route, (about, _) in ABOUT.items():
            answer = await asked(second, route, theirs)
            code = "dataset_not_found" if route == ("post", "/v1/jobs") else "not_found"
            problem(answer, 404, code)
            for identifier in never[about]:
                unknown = await asked(second, route, theirs | {about: identifier})
                assert unknown.status_code == 404, (route, unknown.text)
                given = (theirs[about].encode(), identifier.encode())
                assert untraced(unknown).replace(given[1], given[0]) == untraced(answer), route
                assert sorted(unknown.headers) == sorted(answer.headers), route
            ours = await asked(world.client, route, theirs)
            if route == ENDED:
                problem(ours, 409, "job_ended")
                continue
            assert ours.status_code in (200, 202, 204), (route, ours.text)
        for _, path in LISTS:
            page = (await second.get(path)).json()
            assert page["data"] == [], path
            assert (await world.get(path))["data"] != [], path


async def test_a_job_of_another_tenant_cannot_be_canceled(world: World) -> None:
    mine = await owned(world)
    async with await world.another_tenant("second") as second:
        for _ in range(3):
            problem(await second.post(f"/v1/jobs/{mine.open_job_id}/cancel"), 404, "not_found")
    job = await world.ended(mine.open_job_id)
    assert job["state"] == "succeeded"
    assert "job.cancel_requested" not in [line["type"] for line in job["timeline"]]


@pytest.mark.parametrize("forged", ["tenant_id", "tenantid", "tenant"])
async def test_a_body_cannot_name_a_tenant(forged: str, database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        answer = await world.client.post(
            "/v1/sources", json={"name": "a", forged: str(uuid.uuid4())}
        )
        problem(answer, 422, "invalid_request")


async def test_a_webhook_cannot_train_on_another_tenants_data_set(world: World) -> None:
    mine = await owned(world)
    mapping = {"dataset_id": "id", "target": "'target'", "model": "'stolen'"}
    async with await world.another_tenant("second") as second:
        thief = World(world.settings, second, world.transport)
        source = await thief.source(
            "ci", {"kind": "command", "command": "train", "mapping": mapping}
        )
        assert (
            await thief.send(source, f'{{"id": "{mine.dataset_id}"}}'.encode(), "msg_1")
        ).status_code == 202
        jobs = await eventually(lambda: thief.get("/v1/jobs"), lambda page: page["data"])
        job = await thief.ended(jobs["data"][0]["id"])
        assert (job["failure"]["class"], job["failure"]["code"]) == (
            "user_config",
            "dataset_not_found",
        )
        assert (await thief.get("/v1/models"))["data"] == []
