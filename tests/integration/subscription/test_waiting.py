"""Who waits, and for how long: a partition that is held, a consumer that is paused, a world that
stays unwell.
"""

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from compose.kafka.subscription import Subscription
from schemas.record import PartlyPaused, PausedPartition, PollBatch
from tests.integration.subscription.store import Store, has
from tests.integration.subscription.world import QUICK, fresh, make_topic, send, served, until


class Valve:
    """A gate that the test opens and closes."""

    def __init__(self) -> None:
        self.open, self.shut = asyncio.Event(), asyncio.Event()
        self.open.set()

    def set(self, *, is_open: bool) -> None:
        """Open or close it."""
        (self.open if is_open else self.shut).set()
        (self.shut if is_open else self.open).clear()

    async def opened(self) -> None:
        """The port."""
        await self.open.wait()

    async def closed(self) -> None:
        """The port."""
        await self.shut.wait()


async def members(admin: AIOKafkaAdminClient, group: str) -> list[Any]:
    """The ids of the group's members."""
    (answer,) = await admin.describe_consumer_groups([group])
    return [one[0] for one in answer.groups[0][5]]


async def test_a_held_partition_does_not_hold_the_others(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """Offset 7 of partition 0 must wait 2 s, twice.

    The other partition is finished meanwhile, and its order stands.
    """
    topic = await make_topic(admin, partitions=2)
    await send(kafka, topic, 50, partitions=2)
    tries: list[float] = []
    others_at_second = -1

    async def handle(delivery: PollBatch) -> bool | PartlyPaused:
        nonlocal others_at_second
        if (
            any((one.partition, one.offset) == (0, 7) for one in delivery.records)
            and len(tries) < 2
        ):
            tries.append(time.monotonic())
            if len(tries) == 2:
                others_at_second = len(await store.effects(1))
            keep = [one for one in delivery.records if one.partition == 1 or one.offset < 7]
            spans = [one if one.partition == 1 else replace(one, next=7) for one in delivery.spans]
            spans = [one for one in spans if one.start < one.next]
            if spans and not await store.commit(PollBatch(tuple(keep), tuple(spans))):
                return False
            return PartlyPaused((PausedPartition(topic, 0, 7, 2.0),))
        return await store.commit(delivery)

    async with served(
        Subscription(kafka, fresh("group"), [topic], store, handle, max_records=10, timing=QUICK)
    ):
        await until(partial(has, store, 100))
    assert await store.effects(0) == await store.effects(1) == list(range(50))
    assert (others_at_second, store.refused, len(tries)) == (50, 0, 2)
    assert tries[1] - tries[0] >= 2.0


async def test_a_closed_gate_delivers_nothing_and_keeps_the_partitions(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """Closed in mid-stream and opened again: nothing in between, nothing skipped, nothing twice,
    the same member.
    """
    topic, group, valve = await make_topic(admin), fresh("group"), Valve()
    await send(kafka, topic, 20)
    async with served(
        Subscription(kafka, group, [topic], store, store.commit, timing=QUICK, gate=valve)
    ) as waiting:
        await until(partial(has, store, 20))
        before = await members(admin, group)
        valve.set(is_open=False)
        await send(kafka, topic, 20)
        await asyncio.wait({waiting}, timeout=1.0)
        assert await store.count() == 20
        valve.set(is_open=True)
        await until(partial(has, store, 40))
        assert await members(admin, group) == before
    assert await store.effects() == list(range(40))


async def test_a_gate_that_is_closed_at_the_start(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """A process that was killed while its consumer was paused, and started again."""
    topic, valve = await make_topic(admin), Valve()
    valve.set(is_open=False)
    await send(kafka, topic, 20)
    async with served(
        Subscription(kafka, fresh("group"), [topic], store, store.commit, timing=QUICK, gate=valve)
    ) as waiting:
        await asyncio.wait({waiting}, timeout=2.0)
        assert await store.count() == 0
        valve.set(is_open=True)
        await until(partial(has, store, 20))
    assert await store.effects() == list(range(20))


async def test_an_unwell_world_outlasts_the_poll_interval(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """Three times `max_poll_interval` of failures: the group never expels the member, and the
    same batch comes back.
    """
    topic, group = await make_topic(admin), fresh("group")
    await send(kafka, topic, 30)
    short = replace(QUICK, max_handle_seconds=2.0)
    firsts: list[int] = []
    began = time.monotonic()

    async def handle(delivery: PollBatch) -> bool:
        firsts.append(delivery.records[0].offset)
        if time.monotonic() - began < 6.0:
            raise ConnectionError("postgres is away")
        return await store.commit(delivery)

    async def tried() -> bool:
        return len(firsts) >= 2

    async with served(
        Subscription(kafka, group, [topic], store, handle, max_records=10, timing=short)
    ) as waiting:
        await until(tried)
        before = await members(admin, group)
        await until(partial(has, store, 30))
        assert await members(admin, group) == before != []
        assert not waiting.done()
    assert await store.effects() == list(range(30))
    assert firsts[-3:] == [0, 10, 20]
    assert set(firsts[:-3]) == {0}


async def test_partitions_that_somebody_adds_are_read_from_their_beginning(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """Not by us and not announced; records are in them before anybody looks."""
    topic = await make_topic(admin, partitions=1)
    await send(kafka, topic, 20)
    attentive = replace(QUICK, metadata_seconds=0.5)
    async with served(
        Subscription(kafka, fresh("group"), [topic], store, store.commit, timing=attentive)
    ):
        await until(partial(has, store, 20))
        await admin.create_partitions({topic: NewPartitions(3)})
        await send(kafka, topic, 20, partitions=3)
        await until(partial(has, store, 80))
    assert await store.effects(0) == list(range(40))
    assert await store.effects(1) == await store.effects(2) == list(range(20))


async def test_a_stop_gives_back_what_does_not_end(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """The handler is rolled back, the group is left: another takes over at once, without waiting
    for a session.
    """
    topic, group = await make_topic(admin), fresh("group")
    await send(kafka, topic, 10)
    started = asyncio.Event()

    async def handle(delivery: PollBatch) -> bool:
        started.set()
        async with store.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO effects (topic, partition, log_offset) VALUES ($1, 0, 0)", topic
            )
            await connection.execute("SELECT pg_sleep(60)")
        return await store.commit(delivery)

    hasty = replace(QUICK, stop_seconds=0.5)
    subscription = Subscription(kafka, group, [topic], store, handle, timing=hasty)
    running = asyncio.create_task(subscription.run())
    await started.wait()
    began = time.monotonic()
    subscription.stop()
    await running
    async with served(Subscription(kafka, group, [topic], store, store.commit, timing=QUICK)):
        await until(partial(has, store, 10), seconds=QUICK.session_seconds)
    assert time.monotonic() - began < QUICK.session_seconds
    assert await store.effects() == list(range(10))
