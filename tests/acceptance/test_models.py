"""A model keeps what it predicts, its files can be fetched, and its measures say how far they
go.
"""

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from compose.settings import Settings
from tests.acceptance.answers import problem
from tests.acceptance.world import World, api_only
from tests.eventually import eventually
from tests.factories import shipped_csv

ROWS = [f"{row % 7},{row * 31 % 11},{('no', 'yes')[row % 7 > 3]},{row % 3}\n" for row in range(60)]
TABLE = ("a,b,late,noise\n" + "".join(ROWS)).encode()


async def ask(world: World, **changes: Any) -> Any:
    """The answer to a request for a job."""
    return await world.client.post(
        "/v1/jobs", json={"kind": "train", "target": "late", "model": "m", **changes}
    )


async def test_the_files_of_a_version_are_what_was_stored(world: World) -> None:
    job = await world.ended(
        await world.start_job(await world.upload("iris", shipped_csv("iris")), "iris")
    )
    assert job["better_than_baseline"] is True
    version = await world.get("/v1/models/iris/versions/1")
    assert version["better_than_baseline"] is True
    for name, stored in version["artifacts"].items():
        path = f"/v1/models/iris/versions/1/files/{name}"
        answer = await world.client.get(path)
        assert answer.status_code == 200, answer.text
        assert (len(answer.content), hashlib.sha256(answer.content).hexdigest()) == (
            stored["size_bytes"],
            stored["sha256"],
        )
        assert answer.headers["content-length"] == str(stored["size_bytes"])
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        etag = answer.headers["etag"]
        again = await world.client.get(path, headers={"If-None-Match": f'"other", {etag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    problem(await world.client.get("/v1/models/iris/versions/1/files/data.csv"), 404, "not_found")
    problem(await world.client.get("/v1/models/iris/versions/2/files/model.json"), 404, "not_found")
    stored = version["artifacts"]["model.json"]
    file = Path(unquote(urlsplit(world.settings.object_store).path)) / stored["object_key"]
    file.write_bytes(file.read_bytes()[:-1] + b" ")
    problem(
        await world.client.get("/v1/models/iris/versions/1/files/model.json"), 410, "file_damaged"
    )
    file.unlink()
    problem(await world.client.get("/v1/models/iris/versions/1/files/model.json"), 410, "file_gone")


async def test_a_model_keeps_its_target_and_its_task(world: World) -> None:
    dataset = await world.upload("table", TABLE)
    first = await world.ended(await world.start_job(dataset, "m", target="late"))
    assert first["state"] == "succeeded", first["failure"]
    refused = problem(await ask(world, dataset_id=dataset, target="noise"), 409, "model_mismatch")
    assert "'late' by classification" in refused["message"]
    problem(
        await ask(world, dataset_id=dataset, options={"task": "regression"}), 409, "model_mismatch"
    )
    same = await ask(world, dataset_id=dataset, options={"task": "classification"})
    assert (await world.ended(same.json()["id"]))["model"] == {"name": "m", "version": 2}
    points = await eventually(
        lambda: world.get("/v1/metric-trends", model="m", metric="accuracy"),
        lambda page: len(page["data"]) == 2,
    )
    assert [one["same_dataset"] for one in points["data"]] == [None, True]

    mapping = {"dataset_id": "id", "target": "'noise'", "model": "'m'"}
    source = await world.source("ci", {"kind": "command", "command": "train", "mapping": mapping})
    assert (
        await world.send(source, json.dumps({"id": dataset}).encode(), "msg_1")
    ).status_code == 202
    jobs = await eventually(
        lambda: world.get("/v1/jobs"), lambda page: len(page["data"]) == 3, seconds=60
    )
    job = await world.ended(next(one["id"] for one in jobs["data"] if one["origin"] == "webhook"))
    assert (job["failure"]["class"], job["failure"]["code"]) == ("user_config", "model_mismatch")
    assert job["attempts"] == []  # before anything was trained


async def test_a_model_that_learned_nothing_says_so(world: World) -> None:
    blind = (
        "a,target\n" + "".join(f"{row % 2},{row * 7919 % 101}\n" for row in range(80))
    ).encode()
    dataset, other = (
        await world.upload("blind", blind),
        await world.upload("blind", blind + b"1,1\n"),
    )
    for one in (dataset, other):
        job = await world.ended(await world.start_job(one, "blind"))
        assert job["better_than_baseline"] is False, job["metrics"]
        assert "no better than the baseline" in job["timeline"][-1]["reason"]
    assert [one["better_than_baseline"] for one in (await world.get("/v1/models"))["data"]] == [
        False
    ]
    points = await eventually(
        lambda: world.get("/v1/metric-trends", model="blind", metric="rmse"),
        lambda page: len(page["data"]) == 2,
    )
    assert [one["same_dataset"] for one in points["data"]] == [None, False]
    assert {one["better"] for one in points["data"]} == {"lower"}
    summary = (await world.get("/v1/metric-trends/summary", model="blind"))["data"]
    assert {one["metric"]: one["better"] for one in summary}["r2"] == "higher"


async def test_options_that_nobody_knows_are_refused_at_once(database_settings: Settings) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"sead": 1}, "did you mean 'seed'"),
        ({"task": "clustering"}, "task must be one of"),
        ({"seed": -1}, "seed"),
    ]
    async with api_only(database_settings) as api:
        dataset = await api.upload("table", TABLE)
        for options, said in cases:
            answer = await ask(api, dataset_id=dataset, options=options)
            assert said in problem(answer, 422, "invalid_options")["message"]


async def test_a_job_that_has_ended_cannot_be_canceled(world: World) -> None:
    dataset = await world.upload("table", TABLE)
    job = (await ask(world, dataset_id=dataset)).json()["id"]
    key = {"Idempotency-Key": "one"}
    assert (await world.client.post(f"/v1/jobs/{job}/cancel", headers=key)).status_code == 202
    ended = await world.ended(job)
    refused = problem(await world.client.post(f"/v1/jobs/{job}/cancel"), 409, "job_ended")
    assert refused["details"] == {"state": ended["state"]}
    again = await world.client.post(f"/v1/jobs/{job}/cancel", headers=key)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
