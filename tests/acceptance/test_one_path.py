"""The one path: a signed webhook becomes a model, its trend and its bill."""

import json

from tests.acceptance.world import ENDS, World
from tests.eventually import eventually
from tests.factories import shipped_csv

MAPPING = {"dataset_id": "dataset_id", "target": "target", "model": "model"}


async def test_a_webhook_becomes_a_model_its_trend_and_its_bill(world: World) -> None:
    dataset = await world.upload("wine", shipped_csv("wine"))
    source = await world.source("ci", {"kind": "command", "command": "train", "mapping": MAPPING})
    body = json.dumps({"dataset_id": dataset, "target": "target", "model": "wine"}).encode()

    answer = await world.send(source, body, "msg_1")
    again = await world.send(source, body, "msg_1")

    assert answer.status_code == 202, answer.text
    assert again.json() == {**answer.json(), "duplicate": True}
    jobs = await eventually(
        lambda: world.get("/v1/jobs"),
        lambda page: page["data"] and page["data"][0]["state"] in ENDS,
        seconds=60,
    )
    (job,) = jobs["data"]
    assert job["state"] == "succeeded", job["failure"]
    assert job["correlation_id"] == answer.json()["event_id"]
    assert job["model"] == {"name": "wine", "version": 1}
    assert job["metrics"]["accuracy"] > job["baseline"]["accuracy"]

    whole = await world.get(f"/v1/jobs/{job['id']}")
    types = [line["type"] for line in whole["timeline"]]
    assert types == ["job.requested", "job.queued", "job.started", "job.trained", "job.succeeded"]

    trend = await eventually(
        lambda: world.get("/v1/metric-trends", model="wine", metric="accuracy"),
        lambda page: page["data"],
    )
    assert [(point["version"], point["value"]) for point in trend["data"]] == [
        (1, job["metrics"]["accuracy"])
    ]

    usage = await eventually(
        lambda: world.get("/v1/usage"),
        lambda page: {row["meter"] for row in page["data"]} >= {"jobs", "webhook_events"},
    )
    used = {row["meter"]: row["value"] for row in usage["data"]}
    assert used == {
        "webhook_events": 1,
        "jobs": 1,
        "dataset_rows": 178,
        "training_seconds": whole["details"]["seconds"],
    }
