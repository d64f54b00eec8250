"""What is asked for is filtered by, or refused: on every route, and for a period of usage and of
trends.
"""

import re
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.bootstrap import create_key
from compose.http.call_names import NAMES
from compose.settings import Settings
from tests.acceptance.answers import problem
from tests.acceptance.world import api_only
from tests.contract.test_published import each_ref, resolved
from tests.factories import new_id

DAYS = text("""
    INSERT INTO read_usage_days (generation, tenant_id, meter, day, unit, value, records)
    VALUES (1, :tenant, 'jobs', '2026-02-27', '1', 1, 1), (1, :tenant, 'jobs', '2026-02-28', '1', 2,
        1),
           (1, :tenant, 'jobs', '2026-03-01', '1', 4, 1)
""")
POINTS = text("""
    INSERT INTO read_metric_points (generation, tenant_id, model, metric, version, value, task,
        job_id, time)
    VALUES (1, :tenant, 'wine', 'accuracy', 1, 0.25, 'classification', :job,
        '2026-02-28T12:00:00Z'),
           (1, :tenant, 'wine', 'accuracy', 2, 0.5, 'classification', :job, '2026-03-01T12:00:00Z')
""")
OF_WEBHOOKS = "/hooks/{source_id}"
"""It is answered before FastAPI; its query is the sender's business."""


async def test_every_route_refuses_a_parameter_that_it_does_not_know(
    database_settings: Settings,
) -> None:
    async with api_only(database_settings) as world:
        paths = (await world.get("/openapi.json"))["paths"]
        calls = [
            (method, path)
            for path, methods in paths.items()
            for method in methods
            if path != OF_WEBHOOKS
        ]
        assert len(calls) > 40
        for method, path in calls:
            filled = re.sub(r"{\w*(number|version|n)}", "1", path)
            filled = re.sub(r"{name}|{file}", "m", re.sub(r"{\w+_id}", str(new_id()), filled))
            answer = await world.client.request(method, filled, params={"limitt": "1"})
            said = problem(answer, 422, "unknown_parameter")["details"]
            known = [
                one["name"]
                for one in paths[path][method].get("parameters", ())
                if one["in"] == "query"
            ]
            assert (said["parameter"], said["known"]) == ("limitt", sorted(known)), (method, path)
            assert ("did you mean 'limit'?" in answer.text) is ("limit" in known), (method, path)


VERBS = {
    "Cancel",
    "Change",
    "Check",
    "Create",
    "Delete",
    "Deliver",
    "Discard",
    "Download",
    "Get",
    "Group",
    "List",
    "Read",
    "Replay",
    "Rotate",
    "Start",
    "Sum",
    "Summarize",
    "Try",
    "Upload",
}


async def test_every_call_has_a_name_in_plain_words_that_no_other_has(
    database_settings: Settings,
) -> None:
    async with api_only(database_settings) as world:
        paths = (await world.get("/openapi.json"))["paths"]
    told = {
        f"{method.upper()} {path}": one
        for path, calls in paths.items()
        for method, one in calls.items()
    }
    assert {call: one["summary"] for call, one in told.items()} == NAMES
    assert [
        name for name in NAMES.values() if name.split()[0] not in VERBS or len(name.split()) < 2
    ] == []
    ids = {call: one["operationId"] for call, one in told.items()}
    assert ids["GET /v1/jobs"] == "list_jobs"
    assert len(set(ids.values())) == len(set(NAMES.values())) == len(NAMES)


def open_objects(document: dict[str, Any], schema: dict[str, Any], seen: set[str]) -> list[str]:
    """The names of objects in a schema that take fields which they do not name."""
    found = []
    for ref in each_ref(schema):
        if ref not in seen:
            seen.add(ref)
            inner = resolved(document, ref)
            if inner.get("type") == "object" and inner.get("additionalProperties") is not False:
                found.append(ref)
            found += open_objects(document, inner, seen)
    return found


async def test_every_body_refuses_a_field_that_it_does_not_know(
    database_settings: Settings,
) -> None:
    async with api_only(database_settings) as world:
        document = await world.get("/openapi.json")
        bodies = [
            (method, path, call["requestBody"]["content"]["application/json"]["schema"])
            for path, methods in document["paths"].items()
            if path != OF_WEBHOOKS
            for method, call in methods.items()
            if "application/json" in call.get("requestBody", {}).get("content", {})
        ]
        assert len(bodies) > 8
        assert [
            (path, found)
            for _, path, body in bodies
            if (found := open_objects(document, body, set()))
        ] == []
        job = {"kind": "train", "dataset_id": str(new_id()), "tagret": "t", "model": "m"}
        said = problem(await world.client.post("/v1/jobs", json=job), 422, "invalid_request")[
            "details"
        ]["errors"]
        assert {
            "where": "body.tagret",
            "message": "there is no field 'tagret'; did you mean 'target'?",
        } in said


async def test_usage_and_trends_of_a_period(
    database_settings: Settings, pipeline: AsyncEngine
) -> None:
    tenant, _ = await create_key(database_settings, "first", "test")
    async with pipeline.begin() as tx:
        await tx.execute(DAYS, {"tenant": tenant})
        await tx.execute(POINTS, {"tenant": tenant, "job": new_id()})
    async with api_only(database_settings) as world:

        async def used(
            since: str | None, to: str | None, window: str = "day"
        ) -> list[tuple[str, float]]:
            given = {
                name: value for name, value in (("from", since), ("to", to)) if value is not None
            }
            rows = (await world.get("/v1/usage", window=window, **given))["data"]
            return [(row["window_start"][5:], row["value"]) for row in rows]

        whole = [("03-01", 4), ("02-28", 2), ("02-27", 1)]
        assert await used(None, None) == whole
        assert await used("2001-01-01T00:00:00Z", "2001-02-01T00:00:00Z") == []
        assert await used("2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z") == whole[1:2]
        assert await used("2026-02-28T12:00:00Z", "2026-03-01T00:00:01Z") == whole[:2]
        assert await used("2026-03-01T00:30:00+01:00", None) == whole[:2]
        assert await used(None, "2026-02-28T00:00:00Z") == whole[2:]
        assert await used("2026-02-28T00:00:00Z", None, "month") == [("03-01", 4), ("02-01", 2)]
        assert await used("2026-02-28T12:00:00Z", "2026-02-28T12:00:00Z") == []
        assert await used("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z") == whole
        problem(
            await world.client.get("/v1/usage", params={"from": "yesterday"}),
            422,
            "invalid_request",
        )

        async def versions(**period: str) -> list[int]:
            return [
                row["version"] for row in (await world.get("/v1/metric-trends", **period))["data"]
            ]

        assert await versions() == [1, 2]
        assert await versions(**{"from": "2026-02-28T12:00:01Z"}) == [2]
        assert await versions(to="2026-03-01T12:00:00Z") == [1]
        assert (
            await versions(**{"from": "2001-01-01T00:00:00Z", "to": "2001-02-01T00:00:00Z"}) == []
        )
        (row,) = (await world.get("/v1/metric-trends/summary", to="2026-03-01T12:00:00Z"))["data"]
        assert (row["versions"], row["latest"]) == (1, 0.25)
