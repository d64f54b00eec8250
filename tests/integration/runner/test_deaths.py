"""A record that kills its process is counted before it is handled, and parked alone after three
deaths.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.dead_letters.dead_letter import OPERATOR
from consumers.errors import Transient
from consumers.log.outcome import Applied, Outcome
from schemas.event import Event
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.runner.feed import Feed
from tests.integration.runner.mortal import Life, died

MOST_LIVES = 8
LETTERS = (
    'SELECT event_id, "offset", error_class, error, attempts, tenant_id FROM dead_letters '
    'ORDER BY "offset"'
)


def deaths(life: Life) -> int:
    """How many processes die before one is through."""
    for lives in range(MOST_LIVES):
        if not died(life):
            return lives
    return MOST_LIVES


async def test_a_record_that_kills_is_parked_alone(bench: Bench, database: str) -> None:
    events = rows.webhooks(20)
    delivery = Feed().deliver(*events)
    killer = events[7]

    assert (
        deaths(Life(database, "billing", delivery, frozenset({killer.id}))) == 4
    )  # one unseen, three counted

    (letter,) = await bench.ask(LETTERS)
    assert letter == {
        "event_id": killer.id,
        "offset": 7,
        "error_class": "internal",
        "attempts": 3,
        "tenant_id": killer.tenantid,
        "error": "the process died 3 times with this record in hand",
    }
    assert await bench.next("billing") == {"headrace.webhooks": 20}
    assert await bench.value("SELECT count(*) FROM processed") == 20
    assert await bench.value("SELECT count(*) FROM suspect_records") == 0


async def begun_before(bench: Bench, times: int = 1) -> None:
    """So many processes have begun with the first record and died."""
    await bench.ask(
        "INSERT INTO consumer_starts VALUES ('billing', 0, 'headrace.webhooks', 0, 0, :times) "
        "RETURNING 1",
        times=times,
    )


class Unwell:
    """A world that is unwell for the first attempts, and what it found counted meanwhile."""

    def __init__(self, bench: Bench, failures: int) -> None:
        self.bench, self.failures, self.counted = bench, failures, 0

    async def __call__(self, tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        """The port."""
        self.counted = await self.bench.value("SELECT max(deaths) FROM suspect_records")
        if self.failures:
            self.failures -= 1
            raise Transient("a lock is not to be had")
        return [Applied() for _ in events]


async def test_a_failure_is_no_death(bench: Bench) -> None:
    """The count is in Postgres while the record is in hand, and taken back when nobody died of
    it.
    """
    await begun_before(bench)
    unwell = Unwell(bench, failures=5)
    delivery = Feed().deliver(*rows.webhooks(2))
    for _ in range(5):
        with pytest.raises(Transient):
            await bench.runner("billing", unwell)(delivery)
        assert (unwell.counted, await bench.value("SELECT max(deaths) FROM suspect_records")) == (
            1,
            0,
        )
    assert await bench.runner("billing", unwell)(delivery) is True
    assert await bench.value("SELECT count(*) FROM dead_letters") == 0


async def test_a_healthy_consumer_counts_nothing(bench: Bench) -> None:
    """Begun where nobody began before: one transaction, as ever, and no row of a record."""
    feed = Feed()
    unwell = Unwell(bench, failures=0)
    runner = bench.runner("billing", unwell)
    for _ in range(3):
        assert await runner(feed.deliver(*rows.webhooks(2))) is True
        assert unwell.counted is None
    assert await bench.ask("SELECT next, starts FROM consumer_starts") == [{"next": 0, "starts": 1}]


async def test_one_that_cannot_even_be_read_is_the_operators(bench: Bench) -> None:
    """Parking it as its tenant's took a process too: it is parked by its place alone."""
    events = rows.webhooks(3)
    await bench.ask(
        "INSERT INTO suspect_records VALUES ('billing', 0, 'headrace.webhooks', 0, 1, 4) "
        "RETURNING 1"
    )
    assert await bench.runner("billing")(Feed().deliver(*events)) is True
    (letter,) = await bench.ask(LETTERS)
    assert (letter["tenant_id"], letter["event_id"], letter["offset"]) == (OPERATOR, None, 1)
    assert await bench.value("SELECT count(*) FROM usage_records") == 2


async def park(
    bench: Bench, offset: int, consumer: str = "billing"
) -> subprocess.CompletedProcess[str]:
    """The operator's command."""
    url = bench.settings.postgres_url.get_secret_value()
    arguments = (
        "park",
        "headrace.webhooks",
        "0",
        str(offset),
        "--consumer",
        consumer,
        "--reason",
        "it hangs",
        "--json",
    )
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-P", "-m", "compose.cli", "dead-letters", *arguments],
        env={**os.environ, "HEADRACE_POSTGRES_URL": url},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


async def test_an_operator_parks_a_record(bench: Bench) -> None:
    """One that the consumer comes to later; what stands around it is applied."""
    events = rows.webhooks(6)
    ordered = await park(bench, 4)
    assert (ordered.returncode, json.loads(ordered.stdout)["offset"]) == (0, 4), ordered.stderr
    assert await bench.runner("billing")(Feed().deliver(*events)) is True
    (letter,) = await bench.ask(LETTERS)
    assert (letter["event_id"], letter["error_class"]) == (events[4].id, "internal")
    assert letter["error"].startswith("parked by ")
    assert letter["error"].endswith(", at the database: it hangs")
    assert await bench.value("SELECT count(*) FROM usage_records") == 5
    assert await bench.value("SELECT count(*) FROM suspect_records") == 0
    late = await park(bench, 4)
    assert (late.returncode, "has passed it" in late.stderr) == (1, True)
    foreign = await park(bench, 4, "training")
    assert (foreign.returncode, "does not read" in foreign.stderr) == (1, True)
