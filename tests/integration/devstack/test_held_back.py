"""Who is paused and how many dead letters are open, as `headrace status` asks."""

from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.cli.output import terminal
from compose.cli.process.blockers_view import show_held_back
from compose.cli.process.stack import _held_back
from compose.devstack.blockers import KEYS, held_back
from compose.devstack.status import StackStatus
from consumers.dead_letters.dead_letter import DeadLetter
from consumers.dead_letters.parking import store as parking
from consumers.log.circuit_breaker import store
from producers.outbox.partition_layout import Layout, hold
from schemas.topics import JOBS, MODELS
from tests.integration.consumers import rows
from tests.integration.relay.log import numbered, write
from tests.integration.runner.feed import Feed

REFUSED = """
    INSERT INTO outbox_held (seq, size_bytes, topic, refused_why) VALUES (9, 1, 'headrace.datasets',
        'too large')
"""


@pytest.mark.foreign("rows that are never sent")
async def test_who_is_paused_and_what_is_open(
    database: str, pipeline: AsyncEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not any((await held_back(database)).values())
    assert (await held_back(database)).keys() == set(KEYS)
    tenant, feed = uuid4(), Feed()
    async with pipeline.begin() as tx:
        await store.pause(tx, "projection.jobs", "a [bad] view", "somebody")
        await store.pause(tx, "billing", "maintenance", "somebody")
        await store.resume(tx, "billing", "done", "somebody")
        for consumer, error_class, count in (
            ("billing", "bug", 2),
            ("billing", "permanent", 1),
            ("ingest", "bug", 1),
        ):
            delivered = feed.deliver(*(rows.webhook(tenant, uuid4()) for _ in range(count)))
            await parking.park(
                tx,
                [
                    DeadLetter(one, consumer, tenant, uuid4(), error_class, "e", 1)
                    for one in delivered.records
                ],
            )

    await write(pipeline, numbered("k", range(2)))
    connection = await asyncpg.connect(database, server_settings={"role": "headrace_pipeline"})
    await hold(connection, JOBS.name, 6, 7, "test")
    layout = Layout()
    await layout.look(connection)
    await layout.park(connection, [1, 2])
    await connection.execute(
        "INSERT INTO topic_layouts (topic, partitions) VALUES ($1, 6)", MODELS.name
    )
    await layout.stop(connection, MODELS.name, "Kafka refuses it [all]")
    await connection.execute(REFUSED)
    await connection.close()

    found = await held_back(database)

    (paused,), (held,) = found["paused"], found["held_topics"]
    assert (paused["consumer"], paused["reason"], paused["by"]) == (
        "projection.jobs",
        "a [bad] view",
        "somebody",
    )
    assert found["dead_letters"] == {"billing": 3, "ingest": 1}
    assert (held["topic"], held["by"], held["waiting"]) == (JOBS.name, "test", 2)
    show_held_back(terminal(), found)
    told = capsys.readouterr().out
    assert "projection.jobs is paused since" in told
    assert "by somebody: a [bad] view" in told
    assert f"{JOBS.name} is suspended since" in told
    assert "by test: 2 records wait" in told
    assert "4 are parked: billing 3, ingest 1" in told
    assert [one["why"] for one in found["stopped_topics"]] == ["Kafka refuses it [all]"]
    assert f"nothing is sent to {MODELS.name} since" in told
    assert "Kafka refuses it [all]; 0 records wait" in told
    assert "are refused by Kafka, the first is 9: too large; their keys wait" in told


async def test_a_database_that_does_not_say_fails_nothing(database: str) -> None:
    """Away, not migrated, or nothing runs: the rest of the status is told all the same."""
    with pytest.raises(asyncpg.PostgresError):
        await held_back(database + "_of_nobody")
    running = StackStatus("running", postgres_url=database + "_of_nobody")
    assert await _held_back(running) is None
    assert (
        await _held_back(
            replace(running, postgres_url="postgresql://headrace@127.0.0.1:1/headrace")
        )
        is None
    )
    assert await _held_back(replace(running, state="stopped", postgres_url=database)) is None
