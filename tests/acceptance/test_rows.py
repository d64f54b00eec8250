"""GitHub's webhooks become rows, rows a sealed data set, and that a model: nobody uploads
anything.
"""

import csv
import io
from typing import Any

from compose.storage.object_store_url import open_objects
from schemas.topics import DATASETS
from tests.acceptance.github_issues import ACTION, KINDS, PING, issue
from tests.acceptance.ingress.senders import create, deliver, sql
from tests.acceptance.topics import records
from tests.acceptance.world import ENDS, World
from tests.eventually import eventually


async def stream(world: World) -> dict[str, Any]:
    found = (await world.get("/v1/streams"))["data"]
    return dict(found[0]) if found else {}


async def test_signed_issues_become_a_model(world: World) -> None:
    source = await create(world, "repo", scheme="github", action=ACTION)
    tried = await world.client.post(
        f"/v1/sources/{source['id']}/dry-run",
        json={
            "payload": {
                "action": "opened",
                "issue": {
                    "title": "T",
                    "labels": [],
                    "comments": 2,
                    "author_association": "NONE",
                    "body": None,
                },
            }
        },
    )
    assert tried.json()["becomes"] == {
        "kind": "rows",
        "dataset": "issues",
        "rows": [
            {"association": "NONE", "body_length": 0, "comments": 2, "kind": None, "title": "T"}
        ],
    }
    assert (await deliver(world, source, PING, "ping")).status_code == 202
    for number in range(1, 33):
        for _ in range(2 if number % 10 == 0 else 1):  # some are delivered twice
            assert (
                await deliver(world, source, issue(number), f"delivery-{number}")
            ).status_code == 202
        await deliver(world, source, issue(number, "labeled"), f"labeled-{number}")

    found = await eventually(
        lambda: stream(world), lambda one: one.get("rows") == 32 and one["last_sealed"], seconds=60
    )
    assert (found["open_rows"], found["dataset"], found["state"], found["source_id"]) == (
        2,
        "issues",
        "current",
        source["id"],
    )
    assert found["next_seal_at"] > found["opened_at"]
    dataset = await world.decided(found["last_sealed"]["dataset_id"])
    assert (dataset["state"], dataset["rows"], dataset["version"], dataset["name"]) == (
        "validated",
        30,
        1,
        "issues",
    )
    assert {one["name"]: one["type"] for one in dataset["columns"]} == {
        "association": "text",
        "body_length": "integer",
        "comments": "integer",
        "kind": "text",
        "title": "text",
    }
    found = await stream(world)
    assert (found["last_sealed"]["version"], found["last_sealed"]["state"]) == (1, "validated")

    jobs = await eventually(
        lambda: world.get("/v1/jobs"),
        lambda page: page["data"] and page["data"][0]["state"] in ENDS,
        seconds=60,
    )
    (job,) = jobs["data"]
    assert job["state"] == "succeeded", job["failure"]
    assert (job["origin"], job["dataset_id"], job["model"]) == (
        "rows",
        dataset["id"],
        {"name": "triage", "version": 1},
    )
    assert job["metrics"]["accuracy"] > job["baseline"]["accuracy"]
    assert (await world.get("/v1/models/triage/versions"))["data"][0]["version"] == 1
    assert (await world.get("/v1/dead-letters"))["data"] == []

    (said,) = [
        one
        for one in await records(world.settings.kafka, DATASETS, world.settings.kafka_topic_prefix)
        if one["type"] == "dataset.submitted"
    ]
    assert said["correlationid"] == job["correlation_id"]
    content = await open_objects(world.settings.object_store).read(said["data"]["object_key"])
    rows = list(csv.DictReader(io.StringIO((content or b"").decode(), newline=""), strict=True))
    assert [row["title"] for row in rows] == [
        f'Spelling error no. {number}, "again"' for number in range(1, 31)
    ]
    assert {row["kind"] for row in rows} == set(KINDS)
    usage = await eventually(
        lambda: world.get("/v1/usage"),
        lambda page: {row["meter"] for row in page["data"]} >= {"jobs", "dataset_rows"},
    )
    assert {row["meter"]: row["value"] for row in usage["data"]}["dataset_rows"] == 30


async def test_what_is_left_is_sealed_when_its_time_has_come(world: World) -> None:
    source = await create(world, "repo", scheme="github", action=ACTION)
    for number in range(1, 13):
        await deliver(world, source, issue(number), f"delivery-{number}")
    await eventually(lambda: stream(world), lambda one: one.get("open_rows") == 12)
    await sql(world, "UPDATE clock_offset SET value = '3601 s'")
    found = await eventually(lambda: stream(world), lambda one: one["last_sealed"], seconds=60)
    assert (found["open_rows"], found["next_seal_at"], found["last_sealed"]["rows"]) == (
        0,
        None,
        12,
    )
    assert (await world.decided(found["last_sealed"]["dataset_id"]))["state"] == "validated"


async def test_rows_that_were_sealed_and_dropped_are_not_taken_again_by_a_replay(
    world: World,
) -> None:
    seal = {"every_rows": 10, "window": "batch"}
    source = await create(world, "repo", scheme="github", action={**ACTION, "seal": seal})
    for number in range(10):
        assert (
            await deliver(world, source, issue(number), f"delivery-{number}")
        ).status_code == 202
    await eventually(lambda: stream(world), lambda one: one.get("last_sealed"), seconds=60)
    await eventually(
        lambda: sql(world, "SELECT count(*) FROM stream_rows"), lambda count: count == 0
    )

    body = {
        "kind": "requests",
        "filter": {"source_id": source["id"]},
        "expected": 10,
        "reason": "again",
    }
    replay = (await world.client.post("/v1/replays", json=body)).json()["id"]
    done = await eventually(
        lambda: world.get(f"/v1/replays/{replay}"), lambda one: one["state"] == "finished"
    )

    assert done["counts"]["already_applied"] == 10, done["counts"]
    assert (await stream(world))["rows"] == 10
