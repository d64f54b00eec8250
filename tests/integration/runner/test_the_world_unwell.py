"""Locks that are not had, connections that die, commits whose answer is lost: raised, nothing
moved, then once.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from compose.failures import is_transient
from compose.processes.worker import consumer_parts
from compose.settings import Settings
from consumers.log.outcome import Outcome
from consumers.registry import BY_NAME
from schemas.event import Event
from tests.eventually import eventually
from tests.factories import record_of
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed

GONE = "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $1"
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'"
HOLD = "LOCK TABLE usage_records IN EXCLUSIVE MODE"


async def test_a_lock_that_is_not_had_in_time(bench: Bench, owner: AsyncEngine) -> None:
    @asynccontextmanager
    async def impatient() -> AsyncIterator[AsyncConnection]:
        async with bench.pipeline.begin() as tx:
            await tx.execute(text("SET LOCAL lock_timeout = '50ms'"))
            yield tx

    events = [rows.webhook(uuid4(), uuid4()) for _ in range(3)]
    delivery = Feed().deliver(*events)
    async with owner.begin() as tx:
        await tx.execute(text(HOLD))
        for _ in range(2):
            with pytest.raises(DBAPIError) as caught:
                await bench.runner("billing", begin=impatient)(delivery)
            assert is_transient(caught.value)
    assert await bench.counts() == {}
    assert await bench.next("billing") == {}

    assert await bench.runner("billing", begin=impatient)(delivery) is True
    assert await bench.effects() == {"usage_records": 3, "events": 3}


@pytest.mark.parametrize(
    "when", ["between two statements", "within a statement", "idle for too long"]
)
async def test_a_killed_backend(bench: Bench, database: str, when: str) -> None:
    """It dies after the effect is written.

    Whatever the driver makes of that, no event is to blame.
    """
    real = bench.handler("billing")

    async def handle(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        outcomes = await real(tx, events)
        mine = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        if when == "idle for too long":
            await tx.execute(text("SET LOCAL idle_in_transaction_session_timeout = '50ms'"))
            await kill(mine, GONE)
            return outcomes
        if when == "between two statements":
            await kill(mine)
            return outcomes
        killing = asyncio.create_task(kill(mine, ASLEEP))
        try:
            await tx.execute(text("SELECT pg_sleep(20)"))
        finally:
            await killing
        return outcomes

    async def kill(pid: int, once: str | None = None) -> None:
        killer = await asyncpg.connect(database)
        try:
            if once is not None:
                await eventually(lambda: killer.fetchval(once, pid))
            await killer.execute("SELECT pg_terminate_backend($1)", pid)
            await eventually(lambda: killer.fetchval(GONE, pid))
        finally:
            await killer.close()

    delivery = Feed().deliver(*(rows.webhook(uuid4(), uuid4()) for _ in range(3)))
    for _ in range(3):
        with pytest.raises(Exception) as caught:  # noqa: PT011 - what it is differs; that it passes is the point
            await bench.runner("billing", handle)(delivery)
        assert is_transient(caught.value), repr(caught.value)
    assert await bench.counts() == {}

    assert await bench.runner("billing")(delivery) is True
    assert await bench.effects() == {"usage_records": 3, "events": 3}


async def test_a_commit_whose_answer_is_lost(bench: Bench) -> None:
    """It stands; the same delivery is told so, and has no second effect."""

    begun: list[AsyncConnection] = []

    @asynccontextmanager
    async def cut_off() -> AsyncIterator[AsyncConnection]:
        async with bench.pipeline.begin() as tx:
            begun.append(tx)
            yield tx
        if len(begun) == 2:  # the first one notes where the process begins
            raise ConnectionResetError("after the commit")

    delivery = Feed().deliver(*(rows.webhook(uuid4(), uuid4()) for _ in range(3)))
    with pytest.raises(ConnectionResetError):
        await bench.runner("billing", begin=cut_off)(delivery)
    assert await bench.next("billing") == {"headrace.webhooks": 3}

    assert await bench.runner("billing")(delivery) is True
    assert await bench.effects() == {"usage_records": 3, "events": 3}


async def test_unwell_in_the_middle_of_one_by_one(bench: Bench) -> None:
    """Two of four stand, then the world breaks: the whole delivery is refused, and the rest goes
    by its own.
    """
    events = [rows.webhook(uuid4(), uuid4()) for _ in range(4)]
    real, broken, third = bench.handler("billing"), [True], events[2].id

    async def handle(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        if len(events) > 1:
            raise RuntimeError("a bug that the batch brings out")
        if events[0].id == third and broken:
            broken.clear()
            raise ConnectionResetError
        return await real(tx, events)

    feed = Feed()
    delivery = feed.deliver(*events)
    runner = bench.runner("billing", handle)
    with pytest.raises(ConnectionResetError):
        await runner(delivery)
    assert await bench.next("billing") == {"headrace.webhooks": 2}

    assert await runner(delivery) is False
    rest = replace(
        delivery, records=delivery.records[2:], spans=(replace(delivery.spans[0], start=2),)
    )
    assert await runner(rest) is True
    assert await bench.effects() == {"usage_records": 4, "events": 4}


async def test_content_that_postgres_refuses_is_no_loop(bench: Bench) -> None:
    """NUL in job options (jsonb), in a data set's name (text), a size past bigint: dead letters,
    the rest applied.
    """
    tenant = uuid4()
    async with bench.pipeline.begin() as tx:
        dataset = await rows.given_dataset(tx, tenant)
    good = [rows.request(tenant, dataset.id), rows.submission(tenant)]
    bad = [rows.submission(tenant, name="wi\x00ne"), rows.submission(tenant, size_bytes=2**70)]
    odd = record_of(rows.request(tenant, dataset.id, profile="standard"))
    assert odd.value is not None
    nul = replace(odd, value=odd.value.replace(b'"standard"', b'"stand\\u0000ard"'))

    assert await bench.runner("ingest")(Feed().deliver(good[0], *bad, nul, good[1])) is True

    letters = await bench.ask("SELECT value, error_class, attempts FROM dead_letters")
    assert {row["value"] for row in letters} == {nul.value, *(one.encode() for one in bad)}
    assert {row["error_class"] for row in letters} <= {"permanent", "undecodable"}
    assert {row["attempts"] for row in letters} == {1}
    assert await bench.value("SELECT count(*) FROM jobs") == 1
    assert await bench.value("SELECT count(*) FROM datasets") == 2
    assert await bench.next("ingest") == {"headrace.datasets": 3, "headrace.jobs": 2}


@pytest.mark.foreign("headers without a value")
async def test_a_header_without_a_value_stops_nobody(settings: Settings, bench: Bench) -> None:
    """Kafka's protocol has null header values, and every client can send them."""
    event = rows.webhook(uuid4(), uuid4())
    record = record_of(event, prefix=settings.kafka_topic_prefix)
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka) as producer:
        for headers in ([("x", None)], [("ce_id", None)], list(event.headers())):
            await producer.send_and_wait(
                record.topic, record.value, record.key, partition=0, headers=headers
            )

    async with consumer_parts(BY_NAME["billing"], settings) as (subscribe, _, _), subscribe():
        await eventually(
            lambda: bench.next("billing"), lambda stands: stands.get(record.topic) == 3, seconds=15
        )

    assert await bench.value("SELECT count(*) FROM usage_records") == 1
