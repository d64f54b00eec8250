"""Too much cannot be folded: the view pauses with its positions where they are, as a consumer
does.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.consumer_groups import VIEW_LIMITS, VIEWS
from compose.kafka.lag import ConsumerLag, consumer_lags
from compose.processes.sweeper import sweeper
from compose.settings import Settings
from consumers.log.circuit_breaker import store
from projections.reading import consumer_of
from schemas.event import Event
from schemas.record import Record
from tests.acceptance.world import api_only, running_processes
from tests.eventually import eventually
from tests.factories import new_id, record_of, shipped_csv
from tests.figures import figures, of
from tests.integration.projections.bench import (
    Bench,
    Crash,
    job_events,
    usage_events,
    version_events,
)
from tests.integration.runner.feed import Feed

MAX_RUN = VIEW_LIMITS.max_run
LETTERS = "SELECT count(*) FROM dead_letters"
STATES = "SELECT consumer, state, reason, changed_by FROM consumer_breakers"


def many(view: str, tenant: UUID) -> list[Event]:
    """More than may fail."""
    if view == "jobs":
        return job_events(tenant, new_id(), starts=2 * MAX_RUN)
    return (
        version_events(tenant, 2 * MAX_RUN)
        if view == "metric_trends"
        else usage_events(tenant, 2 * MAX_RUN)
    )


async def resume(bench: Bench, view: str, allowed: int = 0) -> None:
    """As the command does it."""
    async with bench.pipeline.begin() as tx:
        assert await store.resume(tx, consumer_of(view), "mended", "somebody", allowed)


async def test_a_view_that_folds_nothing(bench: Bench, view: str) -> None:
    """Nothing of the delivery is parked, the positions stay.

    Mended and resumed, all of it is folded.
    """
    events = many(view, uuid4())
    delivery = Feed().deliver(*events)
    broken = bench.engine(view, as_view=Crash(VIEWS[view], RuntimeError))

    assert await broken(delivery) is False

    assert await bench.value(LETTERS) == await bench.value("SELECT count(*) FROM positions") == 0
    assert await bench.rows(view) == []
    assert await bench.ask(STATES) == [
        {
            "consumer": f"projection.{view}",
            "state": "paused",
            "changed_by": "breaker",
            "reason": f"more than {MAX_RUN} failures in a row",
        }
    ]
    assert await bench.engine(view, as_view=Crash(VIEWS[view], RuntimeError))(delivery) is False
    assert await bench.value(LETTERS) == 0

    await resume(bench, view)
    assert await bench.engine(view)(delivery) is True
    assert await bench.engine(view, 2)(delivery) is True
    assert await bench.rows(view) == await bench.rows(view, 2) != []
    assert await bench.value(LETTERS) == 0


async def test_one_by_one_so_many_are_parked_and_none_more(bench: Bench) -> None:
    """Deliveries of one record: what went before the pause stays parked, the rest is folded."""
    feed = Feed()
    deliveries = [feed.deliver(event) for event in usage_events(uuid4(), MAX_RUN + 5)]
    broken = bench.engine("usage", as_view=Crash(VIEWS["usage"], RuntimeError))

    assert [await broken(one) for one in deliveries[:MAX_RUN]] == [True] * MAX_RUN
    assert await broken(deliveries[MAX_RUN]) is False

    assert await bench.value(LETTERS) == await bench.value("SELECT next FROM positions") == MAX_RUN
    await resume(bench, "usage")
    assert [await bench.engine("usage")(one) for one in deliveries[MAX_RUN:]] == [True] * 5
    assert await bench.value("SELECT records FROM read_usage_days") == 5
    assert await bench.value(LETTERS) == MAX_RUN


async def test_garbage_that_stands_in_the_log_may_be_let_through(bench: Bench, view: str) -> None:
    bad: list[Event | Record] = [replace(record_of(one), value=b"{") for one in many(view, uuid4())]
    delivery = Feed().deliver(*bad)
    assert await bench.engine(view)(delivery) is False
    assert await bench.value(LETTERS) == 0

    await resume(bench, view, allowed=len(bad))
    assert await bench.engine(view)(delivery) is True
    assert await bench.value(LETTERS) == len(bad)


async def test_what_a_newer_release_wrote_pauses_nothing(bench: Bench, view: str) -> None:
    """A rolling deploy has both at once."""
    new: list[Event | Record] = [
        replace(record_of(one), value=one.encode().replace(b":v1", b":v2"))
        for one in many(view, uuid4())
    ]
    assert await bench.engine(view)(Feed().deliver(*new)) is True
    assert await bench.value(LETTERS) == len(new)
    assert await bench.ask(STATES) == []


async def test_paused_by_hand_it_stands_still_and_says_so(
    settings: Settings, pipeline: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """Reads go on from the rows as they are; position, lag and metric tell.

    Resumed, it catches up.
    """

    async def standing() -> ConsumerLag:
        every = await consumer_lags(pipeline, settings.kafka, settings.kafka_topic_prefix)
        return next(one for one in every if one.name == "projection.jobs")

    async def told(what: str) -> bool:
        return any(f"headrace.projection.jobs.1 {what}" in one for one in caplog.messages)

    async with (
        api_only(settings) as world,
        running_processes(settings, ["billing"], ["jobs"]),
        sweeper(settings) as sweeping,
    ):
        dataset = await world.upload("iris", shipped_csv("iris"))

        async def listed(count: int) -> Mapping[str, Any]:
            page = await eventually(
                lambda: world.get("/v1/jobs"), lambda page: len(page["data"]) == count
            )
            return dict(page)

        await world.start_job(dataset, "iris")
        before = await listed(1)
        async with pipeline.begin() as tx:
            assert await store.pause(tx, "projection.jobs", "a bad view", "somebody")
        await eventually(lambda: told("is paused"))

        job = await world.start_job(dataset, "iris")
        behind = await eventually(standing, lambda one: one.lag == 1)
        assert (behind.state, behind.reason, behind.by) == ("paused", "a bad view", "somebody")
        still = await world.get("/v1/jobs")
        assert still == before
        assert (await world.get(f"/v1/jobs/{job}"))["state"] == "accepted"  # the log answers
        await sweeping.stored.look()
        assert of(figures(), "consumer_paused", consumer="projection.jobs") == 1
        assert of(figures(), "consumer_paused", consumer="projection.usage") == 0

        async with pipeline.begin() as tx:
            assert await store.resume(tx, "projection.jobs", "mended", "somebody")
        after = await listed(2)
        assert after["position"] != before["position"]
        assert (await standing()).lag == 0
        await sweeping.stored.look()
        assert of(figures(), "consumer_paused", consumer="projection.jobs") == 0
