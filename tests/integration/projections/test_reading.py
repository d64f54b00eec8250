"""What is read before a projection has caught up: the log answers, and a GET by id after its 202
is never a 404.
"""

import asyncio
from uuid import uuid4

from compose.settings import Settings
from tests.acceptance.world import World, api_only
from tests.factories import shipped_csv

IRIS = shipped_csv("iris")


async def one(world: World, number: int) -> None:
    """A data set and a job, each asked for as soon as its 202 is there."""
    dataset = await world.upload(f"iris-{number}", IRIS)
    found = await world.get(f"/v1/datasets/{dataset}")
    assert (found["id"], found["state"], found["name"]) == (dataset, "submitted", f"iris-{number}")
    job = await world.start_job(dataset, "iris")
    shown = await world.get(f"/v1/jobs/{job}")
    assert (shown["id"], shown["state"], shown["dataset_id"]) == (job, "accepted", dataset)
    assert [line["type"] for line in shown["timeline"]] == ["job.requested"]
    assert (await world.client.post(f"/v1/jobs/{job}/cancel")).status_code == 202
    timeline = (await world.get(f"/v1/jobs/{job}"))["timeline"]
    assert [line["type"] for line in timeline] == ["job.requested", "job.cancel_requested"]


async def test_a_get_by_id_right_after_its_202(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        await asyncio.gather(*(one(world, number) for number in range(10)))

        page = await world.get("/v1/jobs")
        assert page["data"] == []
        assert page["position"].startswith("p-")


async def test_a_stranger_gets_the_same_404_from_the_log(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        dataset = await world.upload("iris", IRIS)
        job = await world.start_job(dataset, "iris")
        async with await world.another_tenant("second") as stranger:
            for path in (f"/v1/jobs/{job}", f"/v1/datasets/{dataset}"):
                theirs = await stranger.get(path)
                nobodys = await stranger.get(path.rsplit("/", 1)[0] + f"/{uuid4()}")
                assert (theirs.status_code, nobodys.status_code) == (404, 404)
                assert theirs.json()["message"] == nobodys.json()["message"]
