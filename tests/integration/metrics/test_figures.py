"""What the relay, the workers and the sweeper show, on real Kafka and Postgres."""

import asyncio
import urllib.request

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.processes import relay, worker
from compose.processes.sweeper import sweeper, watching
from compose.settings import Settings
from compose.telemetry.server import exposed
from schemas.topics import JOBS
from tests.eventually import eventually
from tests.figures import Figures, figures, grown, of
from tests.harness.ports import own_ports
from tests.integration.relay.log import TENANT, entry, unsent, write
from tests.integration.runner.bench import Bench
from tests.integration.work.queue import LEASE_SECONDS, claim, later
from tests.integration.work.test_attempts import queued_job, trainer


async def now() -> Figures:
    return figures()


@pytest.mark.foreign(
    "records that are no events, so that every consumer makes dead letters of them"
)
async def test_from_the_outbox_over_the_lag_to_dead_letters(
    settings: Settings, pipeline: AsyncEngine
) -> None:
    before = figures()
    await write(
        pipeline, [entry(f"{TENANT}:{number}".encode(), b"not an event") for number in range(3)]
    )
    stop = asyncio.Event()
    async with sweeper(settings) as one, asyncio.TaskGroup() as group:
        await one.stored.look()
        shown = figures()
        assert of(shown, "outbox_records") == 3
        assert (of(shown, "outbox_size_bytes") or 0) > 3 * len(b"not an event")
        assert (of(shown, "outbox_age_seconds") or 0) > 0
        assert of(shown, "consumer_oldest_age_seconds", consumer="finalization") == 0

        try:
            group.create_task(relay.run(settings, stop))
            await eventually(lambda: unsent(pipeline), lambda count: count == 0)
            await eventually(now, lambda found: grown(before, found, "relay_records_total") == 3)
            await one.stored.look()
            shown = figures()
            assert grown(before, shown, "office_elections_total", office="relay") == 1
            assert of(shown, "outbox_records") == of(shown, "outbox_age_seconds") == 0
            for consumer in ("finalization", "projection.jobs"):
                assert of(shown, "consumer_tenant_lag", consumer=consumer, tenant=str(TENANT)) == 3
                assert 0 < (of(shown, "consumer_oldest_age_seconds", consumer=consumer) or 0) < 120
                assert lag(shown, consumer, settings.kafka_topic_prefix + JOBS.name) == 3
            assert of(shown, "consumer_paused", consumer="finalization") == 0

            group.create_task(worker.run(settings, ["finalization"], stop))
            rate = {"consumer": "finalization", "error_type": "undecodable"}
            await eventually(
                now, lambda found: grown(before, found, "consumer_dead_letters_total", **rate) == 3
            )
            await one.stored.look()
            shown = figures()
            assert grown(before, shown, "consumer_rebalances_total", consumer="finalization") >= 1
            assert of(shown, "dead_letters", **rate) == 3
            assert (of(shown, "dead_letters_age_seconds", **rate) or 0) > 0
            assert lag(shown, "finalization", settings.kafka_topic_prefix + JOBS.name) == 0
            assert (
                of(shown, "consumer_tenant_lag", consumer="finalization", tenant=str(TENANT))
                is None
            )
            assert (of(shown, "consumer_progress_age_seconds", consumer="finalization") or -1) >= 0
        finally:
            stop.set()


def lag(shown: Figures, consumer: str, topic: str) -> float:
    """Over all partitions of a topic."""
    wanted = {("headrace_consumer", consumer), ("messaging_destination_name", topic)}
    return sum(
        value
        for (name, labels), value in shown.items()
        if name == "headrace_consumer_lag" and wanted <= labels
    )


async def test_who_is_not_elected_any_more_shows_nothing(database_settings: Settings) -> None:
    """Kafka cannot be asked: what the database knows is shown all the same."""
    async with sweeper(database_settings) as one:
        async with watching(one.stored):
            await eventually(now, lambda found: of(found, "outbox_records") == 0)
            await eventually(
                now,
                lambda found: of(found, "consumer_oldest_age_seconds", consumer="ingest") is None,
            )
            assert of(figures(), "outbox_records") == 0
        assert of(figures(), "outbox_records") is None


async def test_a_lease_that_ran_out_is_a_takeover(bench: Bench, owner: AsyncEngine) -> None:
    before = figures()
    await queued_job(bench)
    assert (await claim(bench.pipeline)) is not None
    await later(owner, LEASE_SECONDS + 1)
    async with sweeper(bench.settings) as one:
        await one.stored.look()
        assert of(figures(), "work_pieces", queue="training", state="leased") == 1
    async with trainer(bench.settings):
        await eventually(
            now,
            lambda found: grown(before, found, "work_lease_takeovers_total", queue="training") == 1,
        )


async def test_a_process_shows_its_own_on_its_port(database_settings: Settings) -> None:
    (port,) = own_ports(1)

    def read() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    with exposed(database_settings.model_copy(update={"metrics_port": port})):
        assert "target_info" in await asyncio.to_thread(read)
    with pytest.raises(OSError, match="refused"):
        await asyncio.to_thread(read)
