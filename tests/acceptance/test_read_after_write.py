"""What a 202 named is there for the next GET, before any other process has seen it."""

import asyncio

from compose.settings import Settings
from tests.acceptance.world import World, api_only
from tests.factories import shipped_csv

TIMES = 20


async def test_a_get_right_after_its_202_never_says_404(database_settings: Settings) -> None:
    async with api_only(database_settings) as world:
        await asyncio.gather(*(write_and_read(world, number) for number in range(TIMES)))
        assert (await world.get("/v1/jobs"))[
            "data"
        ] == []  # no projection runs: nothing but the log can have answered


async def write_and_read(world: World, number: int) -> None:
    dataset_id = await world.upload(f"iris {number}", shipped_csv("iris"))
    dataset = await world.get(f"/v1/datasets/{dataset_id}")
    assert (dataset["id"], dataset["name"], dataset["state"]) == (
        dataset_id,
        f"iris {number}",
        "submitted",
    )
    for part in ("report", "profile"):
        assert (await world.get(f"/v1/datasets/{dataset_id}/{part}"))["state"] == "submitted"
    job_id = await world.start_job(dataset_id, "iris")
    job = await world.get(f"/v1/jobs/{job_id}")
    assert (job["id"], job["state"], job["target"]) == (job_id, "accepted", "target")
    assert [line["type"] for line in job["timeline"]] == ["job.requested"]
    canceling = await world.client.post(f"/v1/jobs/{job_id}/cancel")
    assert canceling.status_code == 202
    job = await world.get(f"/v1/jobs/{job_id}")
    assert (job["id"], job["state"]) == (job_id, "accepted")  # its owner has not decided
    assert [line["type"] for line in job["timeline"]] == ["job.requested", "job.cancel_requested"]
