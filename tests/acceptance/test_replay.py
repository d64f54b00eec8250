"""A mapping was wrong: from the dead letter to the job, through every part, and nothing is
billed twice.
"""

import json
from typing import Any

from tests.acceptance.world import World
from tests.eventually import eventually
from tests.factories import shipped_csv

RIGHT = {"dataset_id": "data.set", "target": "'target'", "model": "data.model"}


def train(mapping: dict[str, str]) -> dict[str, Any]:
    return {"kind": "command", "command": "train", "mapping": mapping}


async def used(world: World) -> dict[str, float]:
    return {row["meter"]: row["value"] for row in (await world.get("/v1/usage"))["data"]}


async def over(world: World, replay_id: str) -> dict[str, Any]:
    found = await eventually(
        lambda: world.get(f"/v1/replays/{replay_id}"),
        lambda replay: replay["state"] != "running",
        seconds=20,
    )
    return dict(found)


async def test_a_wrong_mapping_is_mended_and_what_it_cost_is_replayed(world: World) -> None:
    dataset = await world.upload("iris", shipped_csv("iris"))
    await world.decided(dataset)
    source = await world.source("ci", train({**RIGHT, "dataset_id": "data.dataset"}))
    body = json.dumps({"data": {"set": dataset, "model": "iris"}}).encode()
    sent = (await world.send(source, body, "msg_1")).json()
    await eventually(lambda: world.get("/v1/dead-letters"), lambda page: page["data"])
    (group,) = (await world.get("/v1/dead-letters/groups"))["data"]
    assert (group["count"], group["error_class"]) == (1, "user_config")
    before = await eventually(lambda: used(world), lambda meters: meters.get("webhook_events") == 1)

    changed = await world.client.patch(f"/v1/sources/{source['id']}", json={"action": train(RIGHT)})
    assert changed.status_code == 200
    meant = {
        "filter": {"fingerprint": group["fingerprint"]},
        "reason": "the mapping read the wrong field",
    }
    seen = (await world.client.post("/v1/replays", json={**meant, "dry_run": True})).json()
    assert seen["matched"] == 1
    made = await world.client.post("/v1/replays", json={**meant, "expected": seen["matched"]})
    replay = await over(world, made.json()["id"])
    assert (replay["state"], replay["counts"]["applied"]) == ("finished", 1)
    assert [item["event_id"] for item in replay["items"]] == [sent["event_id"]]

    (job,) = (await eventually(lambda: world.get("/v1/jobs"), lambda page: page["data"]))["data"]
    assert (await world.ended(job["id"]))["state"] == "succeeded"
    assert job["correlation_id"] == sent["event_id"]
    after = await eventually(lambda: used(world), lambda meters: meters.get("jobs") == 1)
    assert after["webhook_events"] == before["webhook_events"]

    for path, asked in (
        ("/v1/replays", {"kind": "requests", "filter": {"source_id": source["id"]}, "expected": 1}),
        (
            "/v1/replays",
            {
                "filter": {
                    "ids": [one["id"] for one in (await world.get("/v1/dead-letters"))["data"]]
                }
            },
        ),
        (f"/v1/requests/{sent['request_id']}/replay", None),
    ):
        again = await over(world, (await world.client.post(path, json=asked)).json()["id"])
        assert again["counts"]["already_applied"] == again["matched"] > 0
    assert len((await world.get("/v1/jobs"))["data"]) == 1
    assert await used(world) == after
