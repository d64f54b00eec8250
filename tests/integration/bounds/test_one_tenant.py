"""What one tenant puts into its events: too large for one, it is a dead letter of its own, and
nobody else waits.
"""

import json
from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.log.outcome import Applied, Outcome
from consumers.ports import Handle
from schemas.event import Event
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed
from tests.integration.runner.test_breaker import Broken

LETTERS = "SELECT tenant_id, error_class, attempts, error FROM dead_letters"
STATE = "SELECT state FROM consumer_breakers WHERE state = 'paused'"
MAPPING = {
    "dataset_id": "dataset_id",
    "target": "target",
    "model": "model",
    "options": "{a: o, b: o}",
}


async def train_source(bench: Bench, tenant: UUID) -> UUID:
    async with bench.pipeline.begin() as tx:
        return await rows.given_source(tx, tenant, MAPPING)


def payload(option: str) -> str:
    return json.dumps({"dataset_id": str(uuid4()), "target": "t", "model": "m", "o": option})


async def test_options_that_fit_into_no_event_are_the_tenants_own(bench: Bench) -> None:
    """24 of them paused ingest for everybody: the database refused the event, and that counted
    as a bug.
    """
    attacker, other = uuid4(), uuid4()
    hostile, honest = await train_source(bench, attacker), await train_source(bench, other)
    events = [rows.webhook(attacker, hostile, payload("x" * 500_000)) for _ in range(24)]
    assert (
        await bench.runner("ingest")(
            Feed().deliver(*events, rows.webhook(other, honest, payload("x")))
        )
        is True
    )
    letters = await bench.ask(LETTERS)
    assert {(one["tenant_id"], one["error_class"], one["attempts"]) for one in letters} == {
        (attacker, "user_config", 1)
    }
    assert len(letters) == 24
    assert await bench.said() == ["job.requested"]
    assert await bench.ask(STATE) == []


def broken_for(tenant: UUID, real: Handle) -> Handle:
    """The handler with a bug that only one tenant's data brings out."""

    async def handle(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        if any(event.tenantid == tenant for event in events):
            raise RuntimeError("a bug")
        return await real(tx, events)

    return handle


async def test_a_bug_of_one_tenant_pauses_nobody(bench: Bench) -> None:
    """Its messages are dead letters, and past a few of them its partition does not wait for more
    attempts.
    """
    attacker, other = uuid4(), uuid4()
    feed, runner = Feed(), bench.runner("billing", broken_for(attacker, bench.handler("billing")))
    assert await runner(feed.deliver(rows.webhook(other, uuid4()))) is True
    assert await runner(feed.deliver(*(rows.webhook(attacker, uuid4()) for _ in range(60)))) is True
    assert await runner(feed.deliver(rows.webhook(other, uuid4()))) is True
    letters = await bench.ask(LETTERS)
    assert {(one["tenant_id"], one["error_class"]) for one in letters} == {(attacker, "bug")}
    assert sorted(one["attempts"] for one in letters)[:50] == [1] * 50
    assert await bench.value("SELECT count(*) FROM usage_records") == 2
    assert await bench.ask(STATE) == []


async def test_the_same_bug_in_everybodys_data_pauses(bench: Bench) -> None:
    tenants = [uuid4() for _ in range(4)]
    feed, good = Feed(), bench.runner("billing")
    assert await good(feed.deliver(*(rows.webhook(tenant, uuid4()) for tenant in tenants))) is True

    bad = [rows.webhook(tenants[place % 4], uuid4()) for place in range(60)]
    assert (
        await bench.runner("billing", Broken(RuntimeError("a bad deploy")))(feed.deliver(*bad))
        is False
    )
    assert [one["state"] for one in await bench.ask(STATE)] == ["paused"]
    assert await bench.value("SELECT count(*) FROM dead_letters") == 20


class Talkative:
    """It says something of each message, and too much of one."""

    def __init__(self, guilty: UUID) -> None:
        self._guilty = guilty

    async def __call__(self, tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        """The port."""
        reasons = ["x" * (1_000_000 if event.id == self._guilty else 10) for event in events]
        return [Applied((rows.cancellation(uuid4(), uuid4(), reason),)) for reason in reasons]


async def test_an_event_that_no_record_holds_is_found_before_the_statement(bench: Bench) -> None:
    """Whatever the handler makes of a message: the guilty one alone is its tenant's, the others
    are applied.
    """
    tenant = uuid4()
    guilty, *others = [rows.webhook(tenant, uuid4()) for _ in range(4)]

    assert (
        await bench.runner("billing", Talkative(guilty.id))(Feed().deliver(guilty, *others)) is True
    )
    (letter,) = await bench.ask(LETTERS)
    assert (letter["error_class"], letter["attempts"]) == ("user_config", 1)
    assert "921600 are allowed" in letter["error"]
    assert await bench.said() == ["job.cancel_requested"] * 3
    assert await bench.ask("SELECT recent FROM consumer_breakers") == []
