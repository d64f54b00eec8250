"""Errors of the API: one shape, a stable code, and the trace that leads to the log."""

import asyncio
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.settings import Settings
from tests.acceptance.answers import check_names_and_times, problem, untraced
from tests.acceptance.world import World, api_only
from tests.eventually import eventually
from tests.factories import new_id, shipped_csv

TRAIN = {"kind": "train", "target": "target", "model": "m"}


BROKEN = (b"{", b'{"a": 1', b"\xff\xfe", b"[]", b'"text"', b"nul", b"[" * 2000)
NO_JOBS: tuple[dict[str, Any], ...] = (
    TRAIN,
    TRAIN | {"dataset_id": "no id and no name/"},
    TRAIN | {"dataset_id": str(new_id()), "kind": "infer"},
    TRAIN | {"dataset_id": str(new_id()), "target": ""},
    TRAIN | {"dataset_id": str(new_id()), "target": "a\x00b"},
    TRAIN | {"dataset_id": str(new_id()), "target": "x" * 201},
    TRAIN | {"dataset_id": str(new_id()), "model": "../../etc"},
    TRAIN | {"dataset_id": str(new_id()), "surprise": 1},
    TRAIN | {"dataset_id": str(new_id()), "options": [1]},
)
NO_SOURCES: tuple[dict[str, Any], ...] = (
    {},
    {"name": ""},
    {"name": "a", "scheme": "unknown"},
    {"name": "a", "action": {"kind": "explode"}},
    {"name": "a", "action": {"kind": "command", "command": "train"}},
    {
        "name": "a",
        "action": {
            "kind": "command",
            "mapping": {"dataset_id": "a[", "target": "'t'", "model": "'m'"},
        },
    },
)


async def test_a_body_that_is_not_json_of_ours(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        job = await world.start_job(await world.upload("iris", shipped_csv("iris")), "iris")
        paths = ("/v1/jobs", "/v1/sources", f"/v1/jobs/{job}/cancel")
        cases = [(path, body) for path in paths for body in BROKEN] + [
            ("/v1/jobs", b""),
            ("/v1/sources", b""),
        ]
        for path, body in cases:
            answer = await world.client.post(
                path, content=body, headers={"content-type": "application/json"}
            )
            errors = problem(answer, 422, "invalid_request")["details"]["errors"]
            assert errors, (path, body)
            assert all(one["where"].startswith("body") and one["message"] for one in errors), (
                path,
                body,
            )


async def test_a_job_or_a_source_that_is_not_one(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        for path, bodies in (("/v1/jobs", NO_JOBS), ("/v1/sources", NO_SOURCES)):
            for body in bodies:
                problem(await world.client.post(path, json=body), 422, "invalid_request")
            assert (await world.get(path))["data"] == []


async def test_a_job_on_an_unknown_data_set_says_which(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        unknown = str(new_id())
        answer = await world.client.post("/v1/jobs", json=TRAIN | {"dataset_id": unknown})
        assert problem(answer, 404, "dataset_not_found")["details"] == {"dataset_id": unknown}


async def test_a_secret_that_is_too_short_and_a_name_that_is_taken(
    database_settings: Settings,
) -> None:
    async with api_only(database_settings) as world:
        short = await world.client.post(
            "/v1/sources", json={"name": "a", "secret": "whsec_c2hvcnQ="}
        )
        problem(short, 422, "invalid_secret")
        await world.source("a")
        again = await world.client.post("/v1/sources", json={"name": "a"})
        assert problem(again, 409, "name_taken")["details"] == {"name": "a"}


async def test_an_unknown_route_is_404_in_our_shape(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        for path in ("/", "/v1", "/v1/nothing", "/v2/jobs", "/V1/jobs", "/hooks", "/v1/jobs/a/b/c"):
            problem(await world.client.get(path), 404, "not_found")


async def test_a_known_route_with_another_method_is_405(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        answer = await world.client.put("/v1/jobs", json={})
        problem(answer, 405, "method_not_allowed")
        assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}


SHOWN = (
    None,
    "",
    "Bearer",
    "Bearer ",
    "Basic aHI6eA==",
    "Bearer hr_unknown",
    "Bearer nope",
    "hr_x",
    "Bearer hr_é",
)


async def test_without_a_key_of_ours_nothing_is_said(database_settings: Settings) -> None:
    async with (
        api_only(database_settings) as world,
        httpx.AsyncClient(
            transport=world.transport, base_url=database_settings.api_url
        ) as stranger,
    ):
        for shown in SHOWN:
            headers = [] if shown is None else [(b"authorization", shown.encode())]
            for method, path in (
                ("GET", "/v1/jobs"),
                ("POST", "/v1/jobs"),
                ("POST", "/v1/datasets"),
            ):
                problem(await stranger.request(method, path, headers=headers), 401, "unauthorized")


async def test_the_requests_of_one_tenant_at_once_are_a_share(database_settings: Settings) -> None:
    async with api_only(database_settings.model_copy(update={"tenant_requests": 3})) as world:
        waiting: list[asyncio.Task[httpx.Response]] = []

        async def one_more_is_refused() -> bool:
            asking = world.client.get("/v1/events?cursor=latest", headers={"prefer": "wait=25"})
            waiting.append(asyncio.create_task(asking))
            return any(task.done() and task.result().status_code == 429 for task in waiting)

        try:
            await eventually(one_more_is_refused, seconds=20)
            refused = await world.client.get("/v1/jobs")
            problem(refused, 429, "rate_limited")
            assert refused.headers["retry-after"] == "1"
            async with await world.another_tenant("second") as second:
                assert (await second.get("/v1/jobs")).status_code == 200
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.wait(waiting)
        assert (await world.client.get("/v1/jobs")).status_code == 200


async def test_a_body_of_too_many_values_is_refused(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        source = await world.source("shop")
        path = f"/v1/sources/{source['id']}/dry-run"
        many = b'{"payload": [' + b"[]," * 100_000 + b"[]]}"
        answer = await world.client.post(
            path, content=many, headers={"content-type": "application/json"}
        )
        assert "values" in problem(answer, 422, "invalid_request")["message"]


async def test_a_revoked_key_is_an_unknown_one(
    database_settings: Settings, pipeline: AsyncEngine
) -> None:
    async with api_only(database_settings) as world, await world.another_tenant("second") as second:
        assert (await second.get("/v1/jobs")).status_code == 200
        async with pipeline.begin() as tx:
            revoking = "UPDATE api_keys SET revoked_at = headrace_clock() WHERE tenant_id IN "
            await tx.execute(
                text(revoking + "(SELECT tenant_id FROM tenants WHERE name = 'second')")
            )
        revoked = await second.get("/v1/jobs")
        problem(revoked, 401, "unauthorized")
        unknown = await second.get("/v1/jobs", headers={"authorization": "Bearer hr_unknown"})
        assert untraced(revoked) == untraced(unknown)
        assert (await world.client.get("/v1/jobs")).status_code == 200


async def test_answers_say_where_to_look_and_continue_the_trace(
    database_settings: Settings,
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    given = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    async with api_only(database_settings) as world:
        uploading = await world.client.post(
            "/v1/datasets",
            params={"name": "iris"},
            content=shipped_csv("iris"),
            headers={"content-type": "text/csv", **given},
        )
        dataset = uploading.json()["id"]
        starting = await world.client.post(
            "/v1/jobs", json=TRAIN | {"dataset_id": dataset}, headers=given
        )
        job = starting.json()["id"]
        canceling = await world.client.post(f"/v1/jobs/{job}/cancel", headers=given)
        for answer, place, state in (
            (uploading, f"/v1/datasets/{dataset}", "submitted"),
            (starting, f"/v1/jobs/{job}", "accepted"),
            (canceling, f"/v1/jobs/{job}", "cancel_requested"),
        ):
            assert answer.status_code == 202, answer.text
            assert answer.headers["location"] == place
            assert answer.headers["headrace-position"]
            assert answer.headers["x-request-id"] == trace
            assert answer.json() == {"id": place.rsplit("/")[-1], "state": state}
            assert (await world.client.get(place)).status_code == 200
        assert (
            len(
                {answer.headers["headrace-position"] for answer in (uploading, starting, canceling)}
            )
            == 3
        )


async def test_reads_of_projections_say_how_far_they_are(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        job = await world.start_job(await world.upload("iris", shipped_csv("iris")), "iris")
        for path in ("/v1/jobs", "/v1/metric-trends", "/v1/metric-trends/summary", "/v1/usage"):
            answer = await world.client.get(path)
            assert answer.json() == {
                "data": [],
                "next_cursor": None,
                "position": answer.headers["headrace-position"],
            }
        assert (await world.client.get(f"/v1/jobs/{job}")).headers["headrace-position"]


async def test_names_are_snake_case_and_times_have_an_offset(world: World) -> None:
    dataset = await world.upload("iris", shipped_csv("iris"))
    job = await world.start_job(dataset, "iris")
    await world.source("ci")
    await world.ended(job)
    paths = [
        "/v1/datasets",
        f"/v1/datasets/{dataset}",
        f"/v1/datasets/{dataset}/report",
        f"/v1/datasets/{dataset}/profile",
        "/v1/jobs",
        f"/v1/jobs/{job}",
        "/v1/models",
        "/v1/models/iris",
        "/v1/models/iris/versions",
        "/v1/models/iris/versions/1",
        "/v1/metric-trends",
        "/v1/metric-trends/summary",
        "/v1/usage",
        "/v1/sources",
        "/v1/dead-letters",
    ]
    for path in paths:
        check_names_and_times(await world.get(path))
