"""A consumer that needs an operator says so where the operator looks, and touches nobody else."""

import asyncio

import pytest

from compose.devstack.blockers import held_back
from compose.devstack.doctor import diagnose
from compose.processes import worker
from compose.settings import Settings
from schemas.topics import WEBHOOKS
from tests.eventually import eventually
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.subscription.test_real_parts import produce

BLOCKED = "SELECT reason FROM blocked_partitions WHERE consumer = 'billing'"
MOVE = "UPDATE positions SET next = 0 WHERE consumer = 'billing' RETURNING next"
PLACE = """
    INSERT INTO positions (consumer, generation, topic, partition, next)
    VALUES ('billing', 0, :topic, 0, 5000) RETURNING next
"""


@pytest.mark.foreign("put on one partition by hand")
async def test_one_that_needs_an_operator_touches_nobody_else(
    settings: Settings, bench: Bench, database: str
) -> None:
    """Billing is past the log's end: ingest, in the same process, goes on, and billing once
    restored.
    """
    topic, stop = settings.kafka_topic_prefix + WEBHOOKS.name, asyncio.Event()
    await bench.value(PLACE, topic=topic)
    await produce(settings, rows.webhooks(20))

    async def at(consumer: str) -> int | None:
        return (await bench.next(consumer)).get(topic)

    running = asyncio.create_task(worker.run(settings, ["billing", "ingest"], stop))
    try:
        reason = await eventually(lambda: bench.value(BLOCKED))
        await eventually(lambda: at("ingest"), lambda found: found == 20 or running.done())
        assert not running.done()
        assert f"position 5000 of {topic}[0] is outside the log" in reason
        (blocked,) = (await held_back(database))["blocked"]
        assert (blocked["consumer"], blocked["reason"]) == ("billing", reason)
        check = next(one for one in await diagnose(settings) if one.name == "restore")
        assert (check.ok, "headrace topics restore" in check.advice) == (False, True)

        await bench.value(MOVE)
        await eventually(lambda: at("billing"), lambda found: found == 20 or running.done())
        assert await bench.value(BLOCKED) is None
        stop.set()
        await running
    finally:
        stop.set()
        await asyncio.gather(running, return_exceptions=True)
