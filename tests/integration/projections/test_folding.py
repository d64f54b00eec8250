"""Happy, copies, poison, crash for every view.

Rows never go back, and generations stand side by side.
"""

import asyncio
import random
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest

from compose.consumer_groups import VIEWS
from consumers.dead_letters.dead_letter import OPERATOR
from tests.factories import new_id, record_of
from tests.integration.projections.bench import (
    Bench,
    Crash,
    events_of,
    job_events,
    usage_events,
    version_events,
)
from tests.integration.runner.feed import Feed


async def test_happy(bench: Bench) -> None:
    tenant, job_id = uuid4(), new_id()

    assert await bench.engine("jobs")(Feed().deliver(*job_events(tenant, job_id))) is True
    assert await bench.engine("metric_trends")(Feed().deliver(*version_events(tenant))) is True
    assert await bench.engine("usage")(Feed().deliver(*usage_events(tenant))) is True

    (job,) = await bench.ask("SELECT id, tenant_id, version, state, document FROM read_jobs")
    assert (job["id"], job["tenant_id"], job["version"], job["state"]) == (
        job_id,
        tenant,
        4,
        "canceled",
    )
    assert [one["attempt"] for one in job["document"]["attempts"]] == [1, 2]
    lines = await bench.ask("SELECT type FROM read_job_timeline ORDER BY time, version")
    assert [line["type"] for line in lines] == [
        "job.requested",
        "job.queued",
        "job.started",
        "job.started",
        "job.canceled",
    ]
    points = await bench.ask(
        "SELECT metric, version, value, baseline FROM read_metric_points ORDER BY 1, 2"
    )
    assert [(one["metric"], one["version"]) for one in points] == [
        (metric, version) for metric in ("accuracy", "f1") for version in (1, 2, 3)
    ]
    assert (points[0]["value"], points[0]["baseline"], points[3]["baseline"]) == (0.91, 0.3, None)
    (day,) = await bench.ask("SELECT day::text, value, records FROM read_usage_days")
    assert day == {"day": "2026-03-31", "value": Decimal("4.5"), "records": 3}


async def test_copies_change_nothing(bench: Bench, view: str) -> None:
    """In one poll, in the next, and all of them again from the first."""
    events = events_of(view, uuid4())
    feed, engine = Feed(), bench.engine(view)
    assert await engine(feed.deliver(*events)) is True
    once = await bench.rows(view)

    for again in (events, events[:2], [*events, *events], events[1:]):
        assert await engine(feed.deliver(*again)) is True

    assert await bench.rows(view) == once
    assert await bench.value("SELECT max(next) FROM positions") == len(events) * 5 + 1


async def test_copies_in_the_first_poll(bench: Bench, view: str) -> None:
    events = events_of(view, uuid4())
    doubled = [event for event in events for _ in range(2)]

    assert await bench.engine(view)(Feed().deliver(*doubled, *events)) is True
    assert await bench.engine(view, 2)(Feed().deliver(*events)) is True

    assert await bench.rows(view) == await bench.rows(view, 2)


async def test_rows_never_go_back(bench: Bench) -> None:
    """Whatever old copies come in whatever order, by themselves or in batches: the version only
    rises.
    """
    tenant, job_id = uuid4(), new_id()
    events = job_events(tenant, job_id, starts=6)
    chance, feed, engine = random.Random(3), Feed(), bench.engine("jobs")
    seen = 0
    for number in range(1, len(events) + 1):
        await engine(feed.deliver(events[number - 1]))
        await engine(feed.deliver(*chance.sample(events[:number], chance.randint(1, number))))
        version = await bench.value("SELECT version FROM read_jobs")
        assert version == events[number - 1].aggregateversion >= seen
        seen = version
    assert await bench.value("SELECT state FROM read_jobs") == "canceled"
    assert await bench.value("SELECT count(*) FROM read_job_timeline") == len(events)
    assert await bench.value("SELECT count(*) FROM dead_letters") == 0


async def test_poison_is_parked_without_a_copy(bench: Bench, view: str) -> None:
    """A projection writes no events; what stands beside the poison is folded."""
    tenant = uuid4()
    events = events_of(view, tenant)
    bad = [
        replace(record_of(events[0]), value=b"\x00not json"),
        replace(record_of(events[0]), value=None),
        replace(record_of(events[0]), key=b"another"),
    ]

    assert (
        await bench.engine(view)(Feed().deliver(bad[0], *events[:2], *bad[1:], *events[2:])) is True
    )
    assert await bench.engine(view, 2)(Feed().deliver(*events)) is True

    assert await bench.rows(view) == await bench.rows(view, 2)
    letters = await bench.ask("SELECT consumer, tenant_id, error_class FROM dead_letters")
    assert (
        letters
        == [{"consumer": f"projection.{view}", "tenant_id": OPERATOR, "error_class": "undecodable"}]
        * 3
    )
    assert await bench.value("SELECT count(*) FROM events") == 0
    assert await bench.value("SELECT count(*) FROM outbox") == 0


@pytest.mark.parametrize("view", VIEWS)
async def test_of_a_newer_release_only_what_the_view_folds_is_parked(
    bench: Bench, view: str
) -> None:
    """As a version that is not known yet, for a rebuild after the upgrade.

    A new type is passed over.
    """
    events = events_of(view, uuid4())
    record = record_of(events[0])
    value = events[0].encode()
    to_come = replace(record, value=value.replace(b":v1", b":v2"))
    new_type = replace(
        record, value=value.replace(events[0].type.encode(), b"job.reconsidered"), headers=()
    )

    assert await bench.engine(view)(Feed().deliver(new_type, to_come, *events)) is True
    assert await bench.engine(view, 2)(Feed().deliver(*events)) is True

    assert await bench.rows(view) == await bench.rows(view, 2)
    letters = await bench.ask("SELECT error_class, tenant_id, value FROM dead_letters")
    assert letters == [
        {"error_class": "unknown_version", "tenant_id": OPERATOR, "value": to_come.value}
    ]


async def test_what_cannot_be_folded_is_parked_alone(bench: Bench) -> None:
    """A job whose request was never seen, and a version past bigint, beside a job that is well."""
    tenant, well, orphan, huge = uuid4(), new_id(), new_id(), new_id()
    events = job_events(tenant, well)
    step = job_events(tenant, orphan)[1]
    asked, queued, *_ = job_events(tenant, huge)
    past = queued.model_copy(update={"aggregateversion": 2**70})

    assert (
        await bench.engine("jobs")(Feed().deliver(events[0], step, asked, *events[1:], past))
        is True
    )

    letters = await bench.ask(
        "SELECT value, tenant_id, error_class, event_id FROM dead_letters ORDER BY error_class"
    )
    assert {row["value"] for row in letters} == {step.encode(), past.encode()}
    assert (letters[0]["tenant_id"], letters[0]["error_class"], letters[0]["event_id"]) == (
        tenant,
        "bug",
        step.id,
    )
    rows = await bench.ask("SELECT id, state FROM read_jobs")
    assert {row["id"]: row["state"] for row in rows} == {well: "canceled", huge: "accepted"}
    assert await bench.value("SELECT next FROM positions") == len(events) + 3


@pytest.mark.parametrize("crash", [asyncio.CancelledError, ConnectionResetError])
async def test_a_crash_between_fold_and_commit(
    bench: Bench, view: str, crash: type[BaseException]
) -> None:
    events = events_of(view, uuid4())
    delivery = Feed().deliver(*events)

    with pytest.raises(crash):
        await bench.engine(view, as_view=Crash(VIEWS[view], crash))(delivery)
    assert await bench.rows(view) == []
    assert await bench.value("SELECT count(*) FROM positions") == 0

    for _ in range(2):
        assert await bench.engine(view)(delivery) is True
    assert await bench.engine(view, 2)(delivery) is True
    assert await bench.rows(view) == await bench.rows(view, 2) != []


async def test_usage_is_counted_once_by_rival_writers(bench: Bench) -> None:
    """Two processes fold the same partition, in polls of their own sizes, each from where the
    positions are.
    """
    events = usage_events(uuid4(), 60, "0.1")
    whole = Feed().deliver(*events)

    async def rival(size: int) -> None:
        engine = bench.engine("usage")
        while True:
            at = await bench.value("SELECT next FROM positions") or 0
            if at == len(events):
                return
            end = min(at + size, len(events))
            span = replace(whole.spans[0], start=at, next=end)
            await engine(replace(whole, records=whole.records[at:end], spans=(span,)))

    await asyncio.gather(rival(3), rival(5), rival(7))

    (day,) = await bench.ask("SELECT value, records FROM read_usage_days")
    assert day == {"value": Decimal("6.0"), "records": 60}


async def test_two_generations_side_by_side(bench: Bench, view: str) -> None:
    """The new one begins at the log's beginning and has positions of its own; both end equal."""
    tenant = uuid4()
    events = events_of(view, tenant) + events_of(view, tenant if view == "jobs" else uuid4())
    feed = Feed()
    first, second = feed.deliver(*events[:3]), feed.deliver(*events[3:])
    assert await bench.engine(view)(first) is True
    once = await bench.rows(view)

    assert await bench.engine(view, 2)(Feed().deliver(*events)) is True
    assert await bench.rows(view) == once
    assert len(await bench.rows(view, 2)) > len(once)

    assert await bench.engine(view)(second) is True
    assert await bench.rows(view) == await bench.rows(view, 2)
