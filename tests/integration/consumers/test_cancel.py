"""Cancel in every state of a job."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from compose.clock import Clock
from compose.processes.worker import tasks
from consumers.jobs.job import State
from consumers.registry import TRAINING
from consumers.work import store as work
from consumers.work.child_result import Canceled
from consumers.work.work_item import WorkItem
from producers.outbox.append import append
from schemas.log import entry_of
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed


async def state(bench: Bench) -> str:
    """Of the only job."""
    return str(await bench.value("SELECT state FROM jobs"))


async def claim(bench: Bench, lease_seconds: float = 60) -> WorkItem | None:
    async with bench.pipeline.begin() as tx:
        return await work.claim(tx, "training", lease_seconds)


async def begin(bench: Bench, piece: WorkItem) -> bool:
    """What the worker does with a claimed piece first."""
    (task,) = tasks(TRAINING, bench.settings, Clock())
    async with bench.pipeline.begin() as tx:
        begins, events = await task.start(tx, piece, Clock().now())
        await work.fence(tx, piece)
        if not begins:
            await work.done(tx, piece)
        await append(tx, [entry_of(event) for event in events])
    return begins


async def in_training(bench: Bench, feed: Feed, tenant: UUID) -> UUID:
    """A job in `queued`, its work row made by the consumer."""
    async with bench.pipeline.begin() as tx:
        job = await rows.given_job(tx, tenant, "queued")
    assert await bench.runner("training")(feed.deliver(rows.queued(job)))
    return job.id


@pytest.mark.parametrize("waiting", ["accepted", "queued"])
async def test_what_waits_is_canceled_at_once(bench: Bench, waiting: State) -> None:
    """Without a work row yet: one that comes later finds the job over."""
    tenant = uuid4()
    async with bench.pipeline.begin() as tx:
        job = await rows.given_job(tx, tenant, waiting)
    feed = Feed()

    assert await bench.runner("ingest")(feed.deliver(rows.cancellation(tenant, job.id)))
    assert await bench.runner("training")(feed.deliver(rows.queued(job)))

    assert await state(bench) == "canceled"
    assert await bench.said() == ["job.canceled"]
    assert await bench.value("SELECT count(*) FROM work") == 0


@pytest.mark.parametrize("claimed", [False, True])
async def test_a_queued_job_with_its_work_row(bench: Bench, claimed: bool) -> None:
    """A worker that took it up meanwhile does not begin."""
    tenant, feed = uuid4(), Feed()
    job_id = await in_training(bench, feed, tenant)
    piece = await claim(bench) if claimed else None

    assert await bench.runner("ingest")(feed.deliver(rows.cancellation(tenant, job_id)))
    piece = piece or await claim(bench)

    assert piece is None or not await begin(bench, piece)
    assert await state(bench) == "canceled"
    assert await bench.said() == ["job.canceled"]
    assert await claim(bench) is None


async def test_a_running_job_is_told_with_the_heartbeat(bench: Bench) -> None:
    tenant, feed = uuid4(), Feed()
    job_id = await in_training(bench, feed, tenant)
    piece = await claim(bench)
    assert piece is not None
    assert await begin(bench, piece)

    assert await bench.runner("ingest")(feed.deliver(rows.cancellation(tenant, job_id, "enough")))

    assert await state(bench) == "running"
    async with bench.pipeline.begin() as tx:
        assert await work.heartbeat(tx, piece, 60) == "enough"
        (task,) = tasks(TRAINING, bench.settings, Clock())
        events = await task.finish(tx, piece, Canceled(), Clock().now())
    assert [event.type for event in events] == ["job.canceled"]
    assert await state(bench) == "canceled"


@pytest.mark.parametrize(
    "how", ["given back after a crash", "returned by a worker that stops", "lease run out"]
)
async def test_a_running_job_between_two_attempts(bench: Bench, how: str) -> None:
    """Nobody holds its piece and the job is `running`: somebody must still end it."""
    tenant, feed = uuid4(), Feed()
    job_id = await in_training(bench, feed, tenant)
    piece = await claim(bench)
    assert piece is not None
    assert await begin(bench, piece)
    async with bench.pipeline.begin() as tx:
        await work.fence(tx, piece)
        if how == "given back after a crash":
            await work.release(tx, piece, Clock().now())
        elif how == "returned by a worker that stops":
            await work.return_unused(tx, piece)
        else:
            await tx.execute(
                text("UPDATE work SET lease_until = headrace_clock() - interval '1 s'")
            )

    assert await bench.runner("ingest")(feed.deliver(rows.cancellation(tenant, job_id)))
    again = await claim(bench, 0.5)  # not sooner than one lease after the start of Postgres
    if again is not None:
        assert not await begin(bench, again)

    assert await state(bench) == "canceled"
    assert await bench.said() == ["job.started", "job.canceled"]
    assert await claim(bench) is None


@pytest.mark.parametrize("over", ["finalizing", "succeeded", "failed", "canceled", "expired"])
async def test_what_is_done_stays(bench: Bench, over: State) -> None:
    tenant = uuid4()
    async with bench.pipeline.begin() as tx:
        job = await rows.given_job(tx, tenant, over)

    assert await bench.runner("ingest")(Feed().deliver(rows.cancellation(tenant, job.id)))

    assert await state(bench) == over
    assert await bench.effects() == {"jobs": 1}


async def test_a_request_and_its_cancel_in_one_poll(bench: Bench) -> None:
    """In any of the orders that the log can have: the request is always first."""
    tenant = uuid4()
    async with bench.pipeline.begin() as tx:
        dataset = await rows.given_dataset(tx, tenant)
    asked = rows.request(tenant, dataset.id)
    stop = rows.cancellation(tenant, UUID(asked.subject))

    assert await bench.runner("ingest")(Feed().deliver(asked, stop, stop))

    assert await state(bench) == "canceled"
    assert await bench.said() == ["job.queued", "job.canceled"]
    assert await bench.value("SELECT aggregate_version FROM jobs") == 2


async def test_a_stranger_cannot_cancel(bench: Bench) -> None:
    async with bench.pipeline.begin() as tx:
        job = await rows.given_job(tx, uuid4(), "queued")

    assert await bench.runner("ingest")(Feed().deliver(rows.cancellation(uuid4(), job.id)))

    assert await state(bench) == "queued"
    assert await bench.said() == []
