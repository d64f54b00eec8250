"""`headrace topics restore`: all that was answered 202 has its effect, exactly once, whatever
Kafka lost.
"""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.kafka import topics
from compose.kafka.restore import Restored, restoring
from compose.settings import Settings
from schemas.topics import WEBHOOKS
from tests.eventually import eventually
from tests.integration.restoring.ground import Ground, ground

BILLING_AT = f"""
    SELECT max(next) FROM positions WHERE consumer = 'billing' AND topic LIKE '%{WEBHOOKS.name}'
"""
NOTHING = {"restored": False, "reasons": [], "ranges": [], "records": 0, "positions": 0}


@pytest.fixture
async def found(
    settings: Settings, pipeline: AsyncEngine, admin: AIOKafkaAdminClient
) -> AsyncIterator[Ground]:
    """Webhooks were accepted and sent, a quarter of them consumed."""
    async with ground(settings, pipeline, admin) as made:
        await partly_consumed(made, 20)
        yield made


async def partly_consumed(made: Ground, count: int) -> None:
    """So many are consumed, three times as many are not."""
    await made.send(count)
    async with made.running():
        await made.all_applied()
    await made.send(3 * count)
    await made.relayed()


async def test_a_topic_made_anew(found: Ground) -> None:
    """Same cluster, no records: 300 were never consumed, and stand in Postgres only."""
    await partly_consumed(found, 80)
    assert found.sent == 400
    assert (await found.restore())[1] == NOTHING
    await found.lose_topic()
    code, plan, said = await found.restore("--dry-run")
    assert (code, plan["records"], plan["restored"]) == (0, 400, False), said
    assert any("headrace.webhooks is not on Kafka" in reason for reason in plan["reasons"])
    assert await found.ask("SELECT held_by FROM topic_layouts WHERE held_since IS NOT NULL") == []

    code, done, said = await found.restore()

    assert (code, done["records"], done["restored"]) == (0, 400, True), said
    assert done["positions"] > 0
    async with found.running():
        await found.all_applied()
        await found.send(20)
        await found.all_applied()
    assert await found.ask("SELECT incarnation FROM kafka_cluster") == [1]
    assert (await found.restore())[1] == NOTHING


async def test_killed_at_each_step_and_called_again(found: Ground) -> None:
    """What a killed one has begun the next one finishes.

    Once it is committed nothing is left to do.
    """
    await found.lose_topic()
    for step in ("restore.held", "restore.listed", "restore.done"):
        await found.killed(step)
    assert await found.restore_here() == Restored()
    async with found.running():
        await found.all_applied()


async def test_the_log_goes_back_while_everything_runs(found: Ground) -> None:
    """Relay and readers stop by themselves, and go on in the same processes once it is restored."""
    async with found.running():
        await found.all_applied()
        await found.lose_topic()
        await topics.ensure(found.settings)
        await found.send(20)
        await eventually(lambda: found.ask("SELECT consumer FROM blocked_partitions"), seconds=60)
        done = await found.restore_here()
        assert done.records >= found.sent - 20
        await found.all_applied(seconds=120)


async def test_another_cluster(found: Ground) -> None:
    """A new id and empty topics: everybody waits, nobody ends, and everything is published
    again.
    """
    for topic in ("headrace.webhooks", "headrace.usage"):
        await found.lose_topic(topic)
    owner = await asyncpg.connect(
        found.settings.postgres_url.get_secret_value(), server_settings={"role": "headrace_owner"}
    )
    await owner.execute("UPDATE kafka_cluster SET cluster_id = 'the one that we had'")
    await owner.close()
    done = await found.restore_here()
    assert "the one that we had" in done.reasons[0]
    async with found.running():
        await found.all_applied()


async def test_a_consumer_below_the_log(found: Ground) -> None:
    """The log's head is gone, with what nobody had consumed: what it missed comes before what
    followed.
    """
    await found.cut_head(50)
    async with found.running():
        await eventually(lambda: found.ask("SELECT consumer FROM blocked_partitions"))
    done = await found.restore_here()
    assert (done.records, [one.is_whole for one in done.ranges]) == (found.sent, [True])
    assert await found.ask(BILLING_AT) == [found.sent]
    async with found.running():
        await found.all_applied()


async def test_a_log_without_records(found: Ground) -> None:
    """The same, of all of it."""
    await found.cut_head(found.sent)
    assert (await found.restore_here()).records == found.sent
    async with found.running():
        await found.all_applied()


async def test_from_a_seq_while_everything_runs(found: Ground) -> None:
    """Nothing was lost: copies, each dropped by who has had it."""
    async with found.running():
        await found.all_applied()
        done = await found.restore_here(0)
        assert (done.reasons, done.records >= found.sent) == ((), True)
        await eventually(lambda: found.ask("SELECT seq FROM outbox LIMIT 1"), lambda rows: not rows)
        await found.send(20)
        await found.all_applied()


async def test_only_what_is_missing(found: Ground) -> None:
    """The end of the log is lost: from the first event that Kafka does not have."""
    seqs = await found.ask(f"SELECT seq FROM events WHERE topic = '{WEBHOOKS.name}' ORDER BY seq")
    await found.lose_topic()
    await found.restore_here(seqs[-10])
    await found.relayed()  # Kafka has the last ten now
    async with restoring(found.settings, lambda _: None) as restoration:
        planned = await restoration.plan(None, every=True)
    assert [(one.topic, one.first_seq) for one in planned.ranges] == [(WEBHOOKS.name, seqs[0])]
    await found.restore_here(seqs[0])
    async with found.running():
        await found.all_applied()
    assert await found.restore_here(every=True) == Restored(cluster_id=planned.cluster_id)


async def test_what_consumers_may_have_forgotten_is_not_published_again(found: Ground) -> None:
    """An event whose claims the sweeper may have removed would have its effect twice."""
    await found.lose_topic()
    owner = await asyncpg.connect(
        found.settings.postgres_url.get_secret_value(), server_settings={"role": "headrace_owner"}
    )
    await owner.execute("UPDATE clock_offset SET value = '34 days 1 hour'")
    await owner.close()
    done = await found.restore_here(0)
    (webhooks,) = [one for one in done.ranges if one.topic == WEBHOOKS.name]
    assert (webhooks.records, webhooks.too_old) == (0, found.sent)
    assert await found.ask("SELECT seq FROM outbox") == []
