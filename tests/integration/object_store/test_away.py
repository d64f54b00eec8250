"""An object store that is away for a moment, or an object that is gone: the infrastructure's
fault, and retried.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest
from sqlalchemy import text

from compose.processes.worker import consumer_parts
from compose.settings import Settings
from consumers.registry import INGEST, TRAINING, Consumer
from schemas.event import Event
from schemas.jobs import JobRequested
from tests.acceptance.world import api_only
from tests.eventually import eventually
from tests.factories import door_event
from tests.integration.consumers import rows
from tests.integration.object_store.away import Store
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed
from tests.integration.work.test_attempts import child, queued_job

TABLE = b"a,target\r\n" + b"".join(b"%d,%d\r\n" % (one, one % 2) for one in range(40))


@asynccontextmanager
async def worker_of(
    settings: Settings, consumer: Consumer, away: Store | None = None
) -> AsyncIterator[None]:
    """The worker of a consumer's queue, as its process has it; stopped in order at the end.

    A store that is given goes away after the process has opened it.
    """
    stop = asyncio.Event()
    async with consumer_parts(consumer, settings) as (_, (worker,), _):
        if away is not None:
            away.unmount()
        running = asyncio.create_task(worker.run(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.wait_for(running, 120)


async def submit(bench: Bench, store: Store) -> tuple[UUID, UUID]:
    """A dataset of some rows in the queue of its validation, with a job that waits for it.

    Tenant and dataset.
    """
    event: Event = rows.submission(tenant := uuid4())
    data: Any = event.data
    await store.put(data.object_key, TABLE)
    asked = JobRequested(
        job_id=uuid4(),
        kind="train",
        dataset_id=data.dataset_id,
        target="target",
        model="m",
        options={},
    )
    runner, feed = bench.runner("ingest"), Feed()
    assert await runner(feed.deliver(event))
    assert await runner(feed.deliver(door_event(asked, asked.job_id, tenant)))
    return tenant, data.dataset_id


async def test_a_dataset_waits_for_the_store(
    bench: Bench, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await submit(bench, store)

    async def state() -> str:
        said = await bench.value("SELECT state FROM datasets")
        return "said" if said == "submitted" and "object store" in caplog.text else str(said)

    async with worker_of(bench.settings, INGEST, away=store):
        assert await eventually(state, lambda found: found != "submitted") == "said"
        store.mount()
        await eventually(
            lambda: bench.value("SELECT state FROM datasets"), lambda found: found != "submitted"
        )
    assert await bench.value("SELECT state FROM datasets") == "validated"
    assert await bench.value("SELECT state FROM jobs") == "queued"


async def test_a_job_waits_for_the_store(
    bench: Bench, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    await queued_job(bench)

    async def state() -> str:
        said = await bench.value("SELECT state FROM jobs")
        return "said" if said == "queued" and "object store" in caplog.text else str(said)

    async with worker_of(bench.settings, TRAINING, away=store):
        assert await eventually(state, lambda found: found not in ("queued", "running")) == "said"
        store.mount()
        await child()
    assert await bench.value("SELECT state FROM jobs") == "running"
    assert await bench.value("SELECT attempt FROM jobs") == 1


async def test_a_trained_model_waits_for_the_store(
    bench: Bench, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """The store goes away while the child fits: what is done is not done again."""
    await queued_job(bench)
    async with worker_of(bench.settings, TRAINING):
        process = await child()
        process.suspend()
        store.unmount()
        process.resume()
        await eventually(
            lambda: asyncio.to_thread(psutil.pid_exists, process.pid), lambda found: not found
        )

        async def told() -> bool:
            return "object store" in caplog.text or bool(
                await bench.value("SELECT count(*) FROM work WHERE attempt > 1")
            )

        await eventually(told)
        store.mount()
        await eventually(
            lambda: bench.value("SELECT state FROM jobs"),
            lambda found: found not in ("queued", "running"),
        )
    assert await bench.value("SELECT state FROM jobs") == "finalizing"
    assert await bench.value("SELECT attempt FROM jobs") == 1


async def test_a_dataset_whose_object_is_gone_is_the_infrastructures_fault(
    bench: Bench, store: Store
) -> None:
    """The store answers and the object is not there: not at once the end, and never `user_data`."""
    await submit(bench, store)
    for path in store.root.glob("tenants/*/datasets/*"):
        path.unlink()
    async with bench.pipeline.begin() as tx:
        await tx.execute(text("UPDATE work SET attempt = 1, max_attempts = 3"))
    async with worker_of(bench.settings, INGEST):
        await eventually(
            lambda: bench.value("SELECT state FROM datasets"), lambda found: found != "submitted"
        )
    assert await bench.value("SELECT attempt FROM work") == 3
    assert (await bench.value("SELECT findings FROM datasets"))[0]["rule"] == "object_missing"
    failure = await bench.value("SELECT failure FROM jobs")
    assert failure["class"] == "infrastructure"


async def test_a_job_whose_dataset_is_gone_is_the_infrastructures_fault(
    bench: Bench, store: Store
) -> None:
    await queued_job(bench)
    (store.root / "iris.csv").unlink()
    async with bench.pipeline.begin() as tx:
        await tx.execute(text("UPDATE work SET attempt = 2"))
    async with worker_of(bench.settings, TRAINING):
        await eventually(
            lambda: bench.value("SELECT state FROM jobs"), lambda found: found == "failed"
        )
    failure = await bench.value("SELECT failure FROM jobs")
    assert (failure["class"], failure["code"]) == ("infrastructure", "object_missing")


async def test_what_needs_the_store_is_unavailable_and_the_rest_goes_on(
    database_settings: Settings, store: Store
) -> None:
    """Uploads, large webhooks and their bodies answer 503 while it is away.

    Small webhooks are accepted.
    """
    large = b'"' + b"x" * (800 << 10) + b'"'
    async with api_only(database_settings) as world:
        source = await world.source("shop")
        request = (await world.send(source, large, "a")).json()["request_id"]
        store.unmount()
        upload = await world.client.post(
            "/v1/datasets",
            params={"name": "t"},
            content=TABLE,
            headers={"content-type": "text/csv"},
        )
        assert (upload.status_code, upload.json()["code"]) == (503, "unavailable")
        body = await world.client.get(f"/v1/requests/{request}/body")
        assert (body.status_code, body.json()["code"]) == (503, "unavailable")
        refused = await world.send(source, large, "b")
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert (await world.send(source, b"{}", "c")).status_code == 202
        store.mount()
        assert (await world.client.get(f"/v1/requests/{request}/body")).status_code == 200
        assert (await world.send(source, large, "b")).status_code == 202
