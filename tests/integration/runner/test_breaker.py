"""Too much fails: the consumer pauses with its positions where they are, and the dead letters
stay few.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from compose.kafka.pause_check import BreakerGate
from consumers.errors import Permanent
from consumers.log.circuit_breaker import store
from consumers.log.outcome import Outcome, Rejected
from consumers.registry import BY_NAME
from schemas.event import Event
from schemas.record import PollBatch, Record, Span
from tests.factories import record_of
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed

MAX_RUN = BY_NAME["billing"].breaker.max_run
STATE = "SELECT state, reason, changed_by FROM consumer_breakers WHERE consumer = 'billing'"


def rest(delivery: PollBatch, start: int) -> PollBatch:
    """What a subscription delivers from a position on."""
    (span,) = delivery.spans
    return PollBatch(
        tuple(one for one in delivery.records if one.offset >= start), (replace(span, start=start),)
    )


class Broken:
    """It fails on everything."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def __call__(self, tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        """The port."""
        raise self.error


class Refusing:
    """It finds fault with what the tenants have set up."""

    async def __call__(self, tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        """The port."""
        return [Rejected("user_config", "the mapping finds nothing") for _ in events]


@pytest.mark.parametrize(
    "error", [RuntimeError("a bad deploy"), Permanent("never")], ids=["bug", "permanent"]
)
async def test_everything_fails(bench: Bench, error: Exception) -> None:
    """So many dead letters as the limit says and none more.

    Mended and resumed, the rest is applied once.
    """
    events = rows.webhooks(60)
    delivery = Feed().deliver(*events)

    assert await bench.runner("billing", Broken(error))(delivery) is False

    assert await bench.counts() == {
        "dead_letters": MAX_RUN,
        "events": MAX_RUN,
        "outbox": MAX_RUN,
        "processed": MAX_RUN,
    }
    assert await bench.next("billing") == {"headrace.webhooks": MAX_RUN}
    (state,) = await bench.ask(STATE)
    assert state == {
        "state": "paused",
        "reason": f"more than {MAX_RUN} failures in a row",
        "changed_by": "breaker",
    }

    again = rest(delivery, MAX_RUN)  # a process that knows nothing of the pause, and fails too
    assert await bench.runner("billing", Broken(error))(again) is False
    assert await bench.value("SELECT count(*) FROM dead_letters") == MAX_RUN

    async with bench.pipeline.begin() as tx:
        assert await store.resume(tx, "billing", "mended", "somebody")
    assert await bench.runner("billing")(again) is True
    assert await bench.value("SELECT count(*) FROM usage_records") == 60 - MAX_RUN
    assert await bench.next("billing") == {"headrace.webhooks": 60}


async def test_a_batch_that_cannot_be_read_is_rolled_back_whole(bench: Bench) -> None:
    """Nothing of the delivery in hand goes to the dead letters when it alone is past the limit."""
    bad: list[Event | Record] = [
        replace(record_of(one), value=b"{") for one in rows.webhooks(MAX_RUN + 1)
    ]

    assert await bench.runner("billing")(Feed().deliver(*bad)) is False

    assert await bench.counts() == {}
    assert await bench.next("billing") == {}
    assert [one["state"] for one in await bench.ask(STATE)] == ["paused"]


async def test_what_cannot_be_mended_may_be_let_through(bench: Bench) -> None:
    """Garbage stands in the log for good: the operator says how much of it may become dead
    letters.
    """
    bad: list[Event | Record] = [
        replace(record_of(one), value=b"{") for one in rows.webhooks(3 * MAX_RUN)
    ]
    delivery = Feed().deliver(*bad)
    assert await bench.runner("billing")(delivery) is False
    async with bench.pipeline.begin() as tx:
        assert await store.resume(tx, "billing", "known", "somebody", allowed=3 * MAX_RUN)

    assert await bench.runner("billing")(delivery) is True
    assert await bench.value("SELECT count(*) FROM dead_letters") == 3 * MAX_RUN
    assert await bench.value("SELECT allowed FROM consumer_breakers") == 0


async def test_instances_count_together(bench: Bench) -> None:
    """Two of them fail in turn on partitions of their own: the limit is the consumer's, not
    theirs.
    """
    records = [replace(record_of(one), value=b"{") for one in rows.webhooks(MAX_RUN + 2)]
    one, other = bench.runner("billing"), bench.runner("billing")
    stood = []
    for number, record in enumerate(records):
        partition = number % 2
        here = replace(record, partition=partition, offset=number // 2)
        span = Span(here.topic, partition, here.offset, here.offset + 1)
        stood.append(await (other if partition else one)(PollBatch((here,), (span,))))
    assert stood == [True] * MAX_RUN + [False] * 2
    assert await bench.value("SELECT count(*) FROM dead_letters") == MAX_RUN


async def test_a_success_between_ends_a_run_and_the_ratio_counts_on(bench: Bench) -> None:
    """Every fourth message fails, five times the limit: that is borne."""
    things: list[Event | Record] = list(rows.webhooks(4 * MAX_RUN))
    for number in range(0, len(things), 4):
        bad = things[number]
        assert isinstance(bad, Event)
        things[number] = replace(record_of(bad), value=b"{")

    feed, runner = Feed(), bench.runner("billing")
    for begin in range(0, len(things), 16):
        assert await runner(feed.deliver(*things[begin : begin + 16])) is True
    assert await bench.value("SELECT count(*) FROM dead_letters") == MAX_RUN
    assert await bench.value("SELECT count(*) FROM usage_records") == 3 * MAX_RUN


async def test_a_tenants_own_mistakes_never_stop_the_others(bench: Bench) -> None:
    """A mapping that fits nothing is one tenant's: dead letters of its own, however many."""
    assert (
        await bench.runner("billing", Refusing())(Feed().deliver(*rows.webhooks(5 * MAX_RUN)))
        is True
    )
    assert await bench.value("SELECT count(*) FROM dead_letters") == 5 * MAX_RUN
    assert await bench.ask(STATE) == []


async def test_the_gate_follows_the_row(bench: Bench) -> None:
    gate = BreakerGate(bench.pipeline, "billing", 0.05)
    await asyncio.wait_for(gate.opened(), 120)
    async with bench.pipeline.begin() as tx:
        assert await store.pause(tx, "billing", "maintenance", "somebody")
        assert not await store.pause(tx, "billing", "again", "another")
    await asyncio.wait_for(gate.closed(), 120)
    opening = asyncio.create_task(gate.opened())
    assert not (await asyncio.wait({opening}, timeout=0.3))[0]
    async with bench.pipeline.begin() as tx:
        assert await store.resume(tx, "billing", "done", "somebody")
        assert not await store.resume(tx, "billing", "done", "somebody")
    await asyncio.wait_for(opening, 120)
