"""Real children under a worker: lost, killed, stopped, cancelled, too late.

Each job ends once, in the right state.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import psutil
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.processes.worker import consumer_parts
from compose.settings import Settings
from compose.storage.object_store_url import open_objects
from consumers.registry import TRAINING
from consumers.work.child_result import Canceled, ChildResult, Crashed, Progress, TenantRefused
from consumers.work.store import LeaseLost
from consumers.work.worker import Worker
from schemas.datasets import Column
from schemas.event import Event
from schemas.jobs import JobQueued
from tests.eventually import eventually
from tests.factories import door_event, shipped_csv
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed
from tests.integration.work.queue import later, row, taken

IRIS = shipped_csv("iris")
LEASE_SECONDS = 0.9


@pytest.fixture
def database_settings(database_settings: Settings) -> Settings:
    """A lease that a test can wait for."""
    return database_settings.model_copy(update={"lease_seconds": LEASE_SECONDS})


@asynccontextmanager
async def trainer(settings: Settings) -> AsyncIterator[tuple[Worker, asyncio.Event]]:
    """The worker of the training queue, as its process has it; stopped in order at the end."""
    stop = asyncio.Event()
    async with consumer_parts(TRAINING, settings) as (_, (worker,), _):
        running = asyncio.create_task(worker.run(stop))
        try:
            yield worker, stop
        finally:
            stop.set()
            await asyncio.wait_for(running, 120)


async def queued_job(bench: Bench) -> UUID:
    """A job on iris, in the queue of its work."""
    tenant = uuid4()
    objects = open_objects(bench.settings.object_store)

    async def content() -> AsyncIterator[bytes]:
        yield IRIS

    await objects.put("iris.csv", content())
    async with bench.pipeline.begin() as tx:
        job = await rows.given_job(tx, tenant, "queued")
    names = IRIS.split(b"\r\n", 1)[0].decode().split(",")
    columns = tuple(
        Column(name=name, type="text" if name == "target" else "number") for name in names
    )
    data = JobQueued(
        job_id=job.id,
        kind="train",
        dataset_id=job.dataset_id,
        dataset_version=1,
        object_key="iris.csv",
        columns=columns,
        target="target",
        model="iris",
        options={"profile": "fast"},
        reason="its data set is valid",
    )
    event: Event = door_event(data, job.id, tenant)
    assert await bench.runner("training")(Feed().deliver(event))
    return job.id


async def child() -> psutil.Process:
    """The training child of this process, once there is one."""

    async def mine() -> list[psutil.Process]:
        found = psutil.Process(os.getpid()).children()
        return [one for one in found if "consumers.work.child" in " ".join(_command(one))]

    return (await eventually(mine))[0]


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


async def state(bench: Bench) -> str:
    return str(await bench.value("SELECT state FROM jobs"))


async def becomes(bench: Bench, wanted: str) -> None:
    await eventually(lambda: state(bench), lambda found: found == wanted)


async def steps(bench: Bench) -> list[str]:
    """What was said, without how far it was."""
    return [one for one in await bench.said() if one != "job.progressed"]


async def test_a_killed_child_is_another_attempt(bench: Bench) -> None:
    """kill -9, twice by whoever; the third attempt of the same piece trains it, once."""
    await queued_job(bench)
    async with trainer(bench.settings):
        (await child()).kill()
        await eventually(lambda: row(bench.pipeline), lambda found: found["state"] == "ready")
        assert (await row(bench.pipeline))["attempt"] == 1
        await becomes(bench, "finalizing")

    assert await steps(bench) == ["job.started", "job.started", "job.trained", "usage.recorded"]
    assert (await row(bench.pipeline))["state"] == "done"
    assert await bench.value("SELECT count(*) FROM usage_records") == 1
    assert await bench.value("SELECT attempt FROM jobs") == 2


async def test_every_attempt_lost(bench: Bench, owner: AsyncEngine) -> None:
    """Holders that are never heard of again: after the last the job fails, and it was the
    infrastructure.
    """
    await queued_job(bench)
    async with owner.begin() as tx:
        await tx.execute(
            text("UPDATE work SET state = 'leased', attempt = 3, token = 3, lease_until = now()")
        )
    async with trainer(bench.settings):
        await becomes(bench, "failed")

    failure = await bench.value("SELECT failure FROM jobs")
    assert (failure["class"], failure["code"]) == ("infrastructure", "worker_lost")
    assert await steps(bench) == ["job.failed"]


async def test_a_worker_that_stops_gives_its_piece_back_unburned(bench: Bench) -> None:
    """The child ends with it, and the next worker finishes the job in the same attempt."""
    await queued_job(bench)
    async with trainer(bench.settings):
        process = await child()
        await becomes(bench, "running")
        process.suspend()
    assert not process.is_running()
    given = await row(bench.pipeline)
    assert (given["state"], given["attempt"], given["lease_until"]) == ("ready", 0, None)
    assert await state(bench) == "running"

    async with trainer(bench.settings):
        await becomes(bench, "finalizing")
    assert await steps(bench) == ["job.started", "job.trained", "usage.recorded"]


async def test_cancel_while_it_runs(bench: Bench) -> None:
    job_id = await queued_job(bench)
    tenant = await bench.value("SELECT tenant_id FROM jobs")
    async with trainer(bench.settings):
        process = await child()
        await becomes(bench, "running")
        process.suspend()
        assert await bench.runner("ingest")(Feed().deliver(rows.cancellation(tenant, job_id)))
        await becomes(bench, "canceled")
        await eventually(lambda: asyncio.to_thread(process.is_running), lambda found: not found)

    assert await steps(bench) == ["job.started", "job.canceled"]
    assert (await row(bench.pipeline))["state"] == "done"
    assert await bench.value("SELECT count(*) FROM usage_records") == 0


async def test_a_job_that_waited_for_too_long(bench: Bench, owner: AsyncEngine) -> None:
    """Longer than a training may take is not too long; longer than it may wait is."""
    await queued_job(bench)
    await later(owner, bench.settings.queue_seconds + 1)
    async with trainer(bench.settings):
        await becomes(bench, "expired")

    assert await steps(bench) == ["job.expired"]
    assert (await row(bench.pipeline))["state"] == "done"
    (said,) = await bench.ask(
        "SELECT convert_from(value, 'UTF8')::jsonb #>> '{data,reason}' AS reason FROM events"
        " WHERE type = 'job.expired'"
    )
    assert said["reason"] == "it waited in the queue for longer than it may"


async def test_a_deadline_that_passes_while_it_runs(bench: Bench, owner: AsyncEngine) -> None:
    """The child sits still; what is left of the job's time is its wall clock."""
    await queued_job(bench)
    async with owner.begin() as tx:
        await tx.execute(text("UPDATE work SET run_seconds = 2"))
    async with trainer(bench.settings):
        process = await child()
        process.suspend()
        await becomes(bench, "expired")

    assert not process.is_running()
    assert await steps(bench) == ["job.started", "job.expired"]


async def test_a_worker_whose_lease_is_lost_ends_its_child(
    bench: Bench, owner: AsyncEngine
) -> None:
    """Another took the piece and finished it.

    The first hears of it with its heartbeat, and writes nothing.
    """
    await queued_job(bench)
    long_lease = bench.settings.model_copy(update={"lease_seconds": 600.0})
    async with trainer(long_lease):
        process = await child()
        await becomes(bench, "running")
        process.suspend()
        async with owner.begin() as tx:
            await tx.execute(
                text("UPDATE work SET lease_until = now() - interval '1 s', token = token + 7")
            )
        async with trainer(bench.settings):
            await becomes(bench, "finalizing")
        await eventually(lambda: asyncio.to_thread(process.is_running), lambda found: not found)

    assert await steps(bench) == ["job.started", "job.started", "job.trained", "usage.recorded"]
    assert await bench.value("SELECT count(*) FROM usage_records") == 1


@pytest.mark.parametrize(
    "result",
    [TenantRefused("user_data", "x", "x"), Canceled(), Crashed("x")],
    ids=lambda r: type(r).__name__,
)
async def test_what_a_zombie_brings_is_thrown_away(
    bench: Bench, owner: AsyncEngine, result: ChildResult
) -> None:
    """A result after the lease was lost: the fence refuses the whole transaction, the job's step
    included.
    """
    await queued_job(bench)
    async with consumer_parts(TRAINING, bench.settings) as (_, (worker,), _):
        zombie = await taken(bench.pipeline)
        async with bench.pipeline.begin() as tx:
            assert await worker._start(tx, zombie)
        await later(owner, 2)
        assert (await taken(bench.pipeline)).attempt == 2
        before, job, piece = (
            await bench.counts(),
            await bench.ask("SELECT * FROM jobs"),
            await row(bench.pipeline),
        )

        for returned in (False, True):
            with pytest.raises(LeaseLost):
                async with bench.pipeline.begin() as tx:
                    await worker._finish(tx, zombie, result, returned=returned)
        with pytest.raises(LeaseLost):
            async with bench.pipeline.begin() as tx:
                await worker._progress(tx, zombie, Progress("fit", 0.5))

    assert (await bench.counts(), await bench.ask("SELECT * FROM jobs")) == (before, job)
    assert await row(bench.pipeline) == piece
