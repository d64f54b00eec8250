"""A deploy whose handler fails on everything: the breaker pauses, over kills too.

Resumed, nothing is lost.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from tests.chaos.members.crew import crew, evidence, feeding
from tests.chaos.members.member import CONSUMER, LIMITS, Orders, make_table
from tests.eventually import eventually

MESSAGES = 400


async def headrace(database: str, kafka: str, prefix: str, *arguments: str) -> Any:
    """The command line, on the test's servers."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HEADRACE_")}
    more = {
        "HEADRACE_POSTGRES_URL": database,
        "HEADRACE_KAFKA": kafka,
        "HEADRACE_KAFKA_TOPIC_PREFIX": prefix,
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-P", "-m", "compose.cli", "consumers", *arguments, "--json"],
        env={**ours, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


async def test_a_bad_deploy_trips_the_breaker_and_nothing_is_lost(
    kafka: str, admin: AIOKafkaAdminClient, database: str, seed: int
) -> None:
    await make_table(database)
    async with feeding(kafka, admin, seed, partitions=8) as feed, evidence(database) as asked:
        await feed.send(MESSAGES, copied=0)
        await feed.producer.flush()

        async def paused() -> Any:
            return await asked.fetchval("SELECT state FROM consumer_breakers") == "paused"

        with crew() as members:
            bad = Orders(database, kafka, feed.prefix, broken=True)
            for _ in range(2):
                members.start(bad)
            began = time.monotonic()
            await eventually(paused, seconds=40)
            tripped = time.monotonic() - began
            shown = await headrace(database, kafka, feed.prefix, "show", CONSUMER)
            for process in [*members.members]:
                members.kill(process)
        letters = await asked.fetchval("SELECT count(*) FROM dead_letters")
        assert 0 < letters <= LIMITS.max_run
        assert (shown["state"], shown["by"]) == ("paused", "breaker")
        assert "failures in a row" in shown["reason"]
        assert shown["lag"] == MESSAGES - letters
        assert len(shown["partitions"]) == 8

        with crew() as members:
            for _ in range(2):
                members.start(Orders(database, kafka, feed.prefix))
            group = feed.prefix + "members"

            async def assigned() -> int:
                (answer,) = await admin.describe_consumer_groups([group])
                return len([one for one in answer.groups[0][5] if one[4]])

            await eventually(assigned, lambda found: found == 2, seconds=40)
            await asyncio.to_thread(
                members.members[0].join, 1.0
            )  # they have their partitions, and would have begun
            assert members.members[0].is_alive()
            assert await asked.fetchval("SELECT count(*) FROM effects") == 0
            resumed = await headrace(
                database, kafka, feed.prefix, "resume", CONSUMER, "--reason", "the fix is out"
            )
            assert resumed["changed"] is True
            done = "SELECT count(*) FROM effects"
            await eventually(
                lambda: asked.fetchval(done), lambda found: found >= MESSAGES - letters, seconds=30
            )
        (listed,) = [
            one
            for one in (await headrace(database, kafka, feed.prefix, "list"))["data"]
            if one["name"] == CONSUMER
        ]
        assert (listed["state"], listed["lag"], listed["breaker"]["recent_failures"]) == (
            "running",
            0,
            0,
        )
        applied = [row[0] for row in await asked.fetch("SELECT event_id FROM effects")]
        parked = [row[0] for row in await asked.fetch("SELECT event_id FROM dead_letters")]
    print(
        f"\nbad deploy: {MESSAGES} messages, {letters} dead letters (limit {LIMITS.max_run}), "
        f"paused in {tripped:.1f} s"
    )
    assert sorted([*applied, *parked]) == sorted(feed.events)


async def test_a_handler_that_blocks_the_loop_is_ended_and_another_takes_over(
    kafka: str, admin: AIOKafkaAdminClient, database: str, seed: int
) -> None:
    """Its heartbeats stop with its loop; its own thread ends it with status 70."""
    await make_table(database)
    async with feeding(kafka, admin, seed, partitions=4) as feed, evidence(database) as asked:
        with crew() as members:
            stuck = members.start(
                Orders(database, kafka, feed.prefix, blocks_at=3, still_seconds=1.0)
            )
            await feed.send(8 * 5, copied=0)
            await feed.producer.flush()
            await asyncio.to_thread(stuck.join, 40)
            assert stuck.exitcode == 70
            members.members.remove(stuck)
            members.start(Orders(database, kafka, feed.prefix))
            count = "SELECT count(*) FROM effects"
            await eventually(lambda: asked.fetchval(count), lambda found: found >= 40, seconds=30)
        applied = [row[0] for row in await asked.fetch("SELECT event_id FROM effects")]
    assert sorted(applied) == sorted(feed.events)
