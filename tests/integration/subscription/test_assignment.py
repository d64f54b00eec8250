"""Where a subscription starts: from its own positions, whatever the look-up does and whatever
Kafka remembers.
"""

import re
from dataclasses import replace
from functools import partial

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from compose.kafka.subscription import Subscription
from schemas.record import PollBatch
from tests.eventually import eventually
from tests.integration.subscription.store import Store, has
from tests.integration.subscription.world import (
    QUICK,
    commit_to_group,
    fresh,
    make_topic,
    send,
    served,
    truncate,
    until,
)


@pytest.mark.parametrize("round_", range(5))
async def test_a_slow_look_up_delivers_nothing_wrong(
    kafka: str, admin: AIOKafkaAdminClient, store: Store, round_: int
) -> None:
    """Kafka's group offset says 10 + round, the position says 42: 42 it is, and nothing before."""
    topic, group = await make_topic(admin), fresh("group")
    await send(kafka, topic, 100)
    await commit_to_group(kafka, group, topic, 10 + round_)
    await store.move(topic, 0, 42)
    store.slow_seconds = 0.3
    delivered: list[int] = []

    async def handle(delivery: PollBatch) -> bool:
        delivered.extend(record.offset for record in delivery.records)
        return await store.commit(delivery)

    async with served(
        Subscription(kafka, group, [topic], store, handle, max_records=7, timing=QUICK)
    ):
        await until(partial(has, store, 58))
    assert delivered == await store.effects() == list(range(42, 100))
    assert store.refused == 0


async def test_a_failing_look_up_delivers_nothing_until_it_succeeds(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """The table is away; the look-up is repeated, and only its answer starts the deliveries."""
    topic, group = await make_topic(admin), fresh("group")
    await send(kafka, topic, 50)
    await commit_to_group(kafka, group, topic, 3)
    await store.move(topic, 0, 20)
    await store.pool.execute("ALTER TABLE positions RENAME TO away")
    delivered: list[int] = []

    async def handle(delivery: PollBatch) -> bool:
        delivered.extend(record.offset for record in delivery.records)
        return await store.commit(delivery)

    async def tried() -> bool:
        return store.look_ups >= 5

    async with served(Subscription(kafka, group, [topic], store, handle, timing=QUICK)):
        await until(tried)
        assert delivered == []
        await store.pool.execute("ALTER TABLE away RENAME TO positions")
        await until(partial(has, store, 30))
    assert delivered == list(range(20, 50))


@pytest.mark.parametrize(
    ("position", "message"),
    [
        (5, r"restore or rebuild: position 5 .* starts at 30 "),
        (51, r"restore or rebuild: position 51 .* ends at 50"),
    ],
)
async def test_a_position_outside_the_log_waits_for_an_operator(
    kafka: str, admin: AIOKafkaAdminClient, store: Store, position: int, message: str
) -> None:
    """Below the log's start or above its end: it says so, delivers nothing, and goes on once
    restored.
    """
    topic = await make_topic(admin)
    await send(kafka, topic, 50)
    await truncate(admin, topic, 30)
    await store.move(topic, 0, position)
    unwatched = replace(QUICK, watch_seconds=60.0)  # found on assignment, not by the watchdog
    subscription = Subscription(
        kafka, fresh("group"), [topic], store, store.commit, timing=unwatched
    )
    async with served(subscription) as waiting:
        reason = await eventually(store.blocked)
        assert re.search(message, reason or "")
        assert (await store.count(), waiting.done()) == (0, False)
        await store.move(topic, 0, 40)
        await until(partial(has, store, 10))
        assert await store.blocked() is None
    assert await store.effects() == list(range(40, 50))


async def test_a_log_that_moves_away_under_a_running_subscription_waits_for_an_operator(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """FastStream swallows the poll's OffsetOutOfRange; the watchdog does not."""
    topic = await make_topic(admin)
    await send(kafka, topic, 20)
    gone = False

    async def handle(delivery: PollBatch) -> bool:
        nonlocal gone
        if not gone:
            gone = True
            await send(kafka, topic, 100)
            await truncate(admin, topic, 100)
        return await store.commit(delivery)

    subscription = Subscription(
        kafka, fresh("group"), [topic], store, handle, max_records=1, timing=QUICK
    )
    async with served(subscription) as waiting:
        assert "starts at 100 " in (await eventually(store.blocked) or "")
        assert not waiting.done()
        before = await store.count()
        await store.move(topic, 0, 100)
        await until(partial(has, store, before + 20))
    assert await store.effects() == [*range(before), *range(100, 120)]


@pytest.mark.parametrize("begin", [0, 30])
async def test_a_first_start_begins_with_the_log(
    kafka: str, admin: AIOKafkaAdminClient, store: Store, begin: int
) -> None:
    """No position, no group offset: the log's first record, wherever that is now."""
    topic = await make_topic(admin, partitions=3)
    await send(kafka, topic, 50, partitions=3)
    await truncate(admin, topic, begin)
    async with served(
        Subscription(kafka, fresh("group"), [topic], store, store.commit, timing=QUICK)
    ):
        await until(partial(has, store, 150 - begin))
    assert [await store.effects(partition) for partition in range(3)] == [
        list(range(begin, 50)),
        list(range(50)),
        list(range(50)),
    ]


async def test_positions_of_another_cluster_wait_for_an_operator(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """The same offsets on another Kafka are other records."""
    topic = await make_topic(admin)
    await send(kafka, topic, 1)
    store.cluster_id = "another"
    subscription = Subscription(kafka, fresh("group"), [topic], store, store.commit, timing=QUICK)
    async with served(subscription) as waiting:
        assert "belong to Kafka cluster another" in (await eventually(store.blocked) or "")
        assert (await store.count(), waiting.done()) == (0, False)
        store.cluster_id = (await admin.describe_cluster())["cluster_id"]
        await until(partial(has, store, 1))


async def test_the_right_cluster_is_let_through_and_lag_tools_see_the_end(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """A stop leaves the group's offset where the subscriber is."""
    topic, group = await make_topic(admin), fresh("group")
    await send(kafka, topic, 25)
    store.cluster_id = (await admin.describe_cluster())["cluster_id"]
    async with served(Subscription(kafka, group, [topic], store, store.commit, timing=QUICK)):
        await until(partial(has, store, 25))
    offsets = await admin.list_consumer_group_offsets(group)
    assert offsets[TopicPartition(topic, 0)].offset == 25
