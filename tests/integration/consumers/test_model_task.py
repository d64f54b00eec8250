"""A model keeps the target and the task of its first version, whoever comes second."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

from consumers.finalization import store
from schemas.jobs import JobTrained
from schemas.models import ModelTask
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed


async def test_of_two_first_versions_the_second_fails_when_it_predicts_something_else(
    bench: Bench,
) -> None:
    tenant = uuid4()
    async with bench.pipeline.begin() as tx:
        first, second, third = [await rows.given_job(tx, tenant, "finalizing") for _ in range(3)]
    events = [
        rows.trained(first),
        rows.trained(replace(second, target="another")),
        rows.trained(third),
    ]

    assert await bench.runner("finalization")(Feed().deliver(*events))

    ends = await bench.ask("SELECT id, state, failure FROM jobs")
    assert {row["id"]: row["state"] for row in ends} == {
        first.id: "succeeded",
        second.id: "failed",
        third.id: "succeeded",
    }
    failure = next(row["failure"] for row in ends if row["id"] == second.id)
    assert (failure["class"], failure["code"]) == ("user_config", "model_mismatch")
    assert "'target' by classification" in failure["message"]
    assert await bench.value("SELECT versions FROM models") == 2
    assert await bench.value("SELECT array_agg(version ORDER BY version) FROM model_versions") == [
        1,
        2,
    ]


async def test_a_job_for_another_target_fails_before_it_is_trained(bench: Bench) -> None:
    tenant = uuid4()
    async with bench.pipeline.begin() as tx:
        known = await rows.given_job(tx, tenant, "finalizing")
        other, same = [await rows.given_job(tx, tenant, "queued") for _ in range(2)]
    assert await bench.runner("finalization")(Feed().deliver(rows.trained(known)))

    events = (rows.queued(replace(other, target="another")), rows.queued(same))
    assert await bench.runner("training")(Feed().deliver(*events))

    states = {row["id"]: row["state"] for row in await bench.ask("SELECT id, state FROM jobs")}
    assert states == {known.id: "succeeded", other.id: "failed", same.id: "queued"}
    (piece,) = await bench.ask("SELECT subject_id, payload FROM work")
    assert (piece["subject_id"], piece["payload"]["model_task"]) == (same.id, "classification")


async def test_who_comes_second_at_the_same_time_waits_and_sees_what_the_first_one_predicts(
    bench: Bench,
) -> None:
    tenant = uuid4()
    async with bench.pipeline.begin() as tx:
        job = await rows.given_job(tx, tenant, "finalizing")
    data = rows.trained(job).data
    assert isinstance(data, JobTrained)
    async with bench.pipeline.begin() as first:
        assert await store.next_version(first, tenant, data.model) == 1
        second = asyncio.create_task(_next(bench, tenant, data.model))
        done, _ = await asyncio.wait([second], timeout=0.3)
        assert not done
        await store.register(first, tenant, 1, data)
    assert await second == (2, ModelTask(target="target", task="classification"))


async def _next(bench: Bench, tenant: UUID, name: str) -> tuple[int, ModelTask | None]:
    async with bench.pipeline.begin() as tx:
        version = await store.next_version(tx, tenant, name)
        return version, (await store.tasks_of(tx, [(tenant, name)])).get((tenant, name))
