"""Kafka dies and comes back, consumers sit still, handlers never end: who recovers, and who
gives up.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from compose.devstack.servers.kafka import KafkaServer
from compose.devstack.subprocesses import start
from compose.kafka.subscription import StalledError, Subscription
from compose.kafka.subscription.cursor import Cursor
from compose.kafka.subscription.watchdog import Watchdog
from schemas.record import PollBatch
from tests.integration.subscription.store import Store, has
from tests.integration.subscription.world import QUICK, fresh, make_topic, send, served, until


@asynccontextmanager
async def alive(server: KafkaServer) -> AsyncIterator[None]:
    """A broker that ends by kill -9.

    The loop goes on while it starts, so that its clients see it gone.
    """
    server.prepare()
    with (server.data_dir / "server.log").open("ab") as output:
        broker = start(server, output)
        try:
            await server.wait_ready(60.0)
            yield
        finally:
            broker.kill()
            broker.wait()


async def test_a_broker_killed_in_mid_stream(kafka_to_kill: KafkaServer, store: Store) -> None:
    """A kill -9 and a start on the same disk, twice, once in mid-batch: nothing lost or twice,
    no restart of ours.
    """
    address = kafka_to_kill.bootstrap
    held, go_on = asyncio.Event(), asyncio.Event()
    go_on.set()

    async def handle(delivery: PollBatch) -> bool:
        if not go_on.is_set():
            held.set()
            await go_on.wait()
        return await store.commit(delivery)

    async with AsyncExitStack() as clients:
        async with alive(kafka_to_kill):
            admin = AIOKafkaAdminClient(bootstrap_servers=address)
            await admin.start()
            topic = await make_topic(admin, partitions=2)
            await admin.close()
            await send(address, topic, 3000, partitions=2)
            subscription = Subscription(address, fresh("group"), [topic], store, handle, 50, QUICK)
            waiting = await clients.enter_async_context(served(subscription))
            await until(partial(has, store, 1000))
            go_on.clear()
            await held.wait()  # a batch is in hand while the broker dies and comes back
        async with alive(kafka_to_kill):
            go_on.set()
            await send(address, topic, 3000, partitions=2)
            await until(partial(has, store, 7000))
        async with alive(kafka_to_kill):
            await send(address, topic, 3000, partitions=2)
            await until(partial(has, store, 18000), seconds=60.0)
            assert not waiting.done()
            await clients.aclose()
    for partition in range(2):
        assert await store.effects(partition) == list(range(9000))


async def test_a_consumer_that_sits_still_is_given_up(
    kafka: str, admin: AIOKafkaAdminClient
) -> None:
    """Records in the log, nobody polls: a new process is wanted."""
    topic = await make_topic(admin)
    await send(kafka, topic, 10)
    async with AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="none") as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        cursor = Cursor(lambda: consumer)
        cursor.suspend()
        cursor.place({(topic, 0): 4})
        with pytest.raises(StalledError, match="there is lag"):
            await Watchdog(cursor, replace(QUICK, stall_seconds=0.5)).run()


async def test_a_handler_without_end_is_given_up(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """Before Kafka expels the consumer for it, and without waiting for it at the end."""
    topic = await make_topic(admin)
    await send(kafka, topic, 10)

    async def handle(delivery: PollBatch) -> bool:
        await asyncio.Event().wait()
        return await store.commit(delivery)

    timing = replace(QUICK, max_handle_seconds=1.0, stop_seconds=0.5)
    with pytest.raises(StalledError, match="a handler has run"):
        await Subscription(kafka, fresh("group"), [topic], store, handle, timing=timing).run()


async def test_an_idle_subscription_stays(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """No records is no stall; the first one after a quiet time is delivered."""
    topic = await make_topic(admin)
    async with served(
        Subscription(
            kafka,
            fresh("group"),
            [topic],
            store,
            store.commit,
            timing=replace(QUICK, stall_seconds=0.3),
        )
    ) as waiting:
        await asyncio.wait({waiting}, timeout=2.0)
        await send(kafka, topic, 1)
        await until(partial(has, store, 1))
        assert not waiting.done()
