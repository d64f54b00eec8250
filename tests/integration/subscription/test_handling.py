"""What reaches the handler, and what happens when it fails, waits, or is not alone."""

import asyncio
from dataclasses import replace
from functools import partial

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from compose.kafka.subscription import Subscription
from schemas.record import PollBatch, Record, Span
from tests.integration.subscription.store import Store, has
from tests.integration.subscription.world import QUICK, fresh, make_topic, send, served, until


async def test_every_byte_reaches_the_handler(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """A header that is not UTF-8, one that comes twice, an empty one, a null one, a null value,
    a null key.
    """
    topic = await make_topic(admin)
    headers = (
        ("a", b"\xff\xfe"),
        ("a", b""),
        ("correlation_id", b"\x80"),
        ("content-type", b"\x00"),
    )
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        await producer.send(
            topic,
            None,
            key=b"\xc3(",
            headers=[*headers, ("null", None)],
            timestamp_ms=1_700_000_000_123,
        )
        await producer.send(topic, b"\xff", key=None)
    seen: list[Record] = []

    async def handle(delivery: PollBatch) -> bool:
        seen.extend(delivery.records)
        return await store.commit(delivery)

    async with served(Subscription(kafka, fresh("group"), [topic], store, handle, timing=QUICK)):
        await until(partial(has, store, 2))
    assert seen[0] == Record(
        topic, 0, 0, b"\xc3(", None, (*headers, ("null", b"")), 1_700_000_000_123
    )
    assert (seen[1].key, seen[1].value, seen[1].headers) == (None, b"\xff", ())


async def test_one_delivery_spans_partitions_and_control_records_leave_gaps(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """Spans meet end to end though a transaction's marker takes an offset that is never
    delivered.
    """
    topic = await make_topic(admin, partitions=2)
    async with AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=fresh("tx")) as producer:
        for _ in range(3):
            async with producer.transaction():
                for partition in (1, 0):
                    await producer.send(topic, b"x", partition=partition)
    spans: list[Span] = []

    async def handle(delivery: PollBatch) -> bool:
        assert list(delivery.spans) == sorted(delivery.spans, key=lambda span: span.partition)
        spans.extend(delivery.spans)
        return await store.commit(delivery)

    stall_soon = replace(QUICK, stall_seconds=0.5)
    async with served(
        Subscription(kafka, fresh("group"), [topic], store, handle, 1, stall_soon)
    ) as waiting:
        await until(partial(has, store, 6))
        await asyncio.wait({waiting}, timeout=3.0)  # a marker at the end of the log is no lag
        assert not waiting.done()
    assert [(span.start, span.next) for span in spans if span.partition == 1] == [
        (0, 1),
        (1, 3),
        (3, 5),
    ]
    assert await store.effects(0) == await store.effects(1) == [0, 2, 4]


async def test_a_failing_handler_gets_the_same_records_again(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """Every third delivery raises before it commits, and every third after."""
    topic = await make_topic(admin, partitions=2)
    await send(kafka, topic, 60, partitions=2)
    times = 0

    async def handle(delivery: PollBatch) -> bool:
        nonlocal times
        times += 1
        if times % 3 == 0:
            raise ConnectionError("before the commit")
        moved = await store.commit(delivery)
        if times % 3 == 1:
            raise ConnectionError("the answer to COMMIT was lost")
        return moved

    async with served(
        Subscription(kafka, fresh("group"), [topic], store, handle, max_records=10, timing=QUICK)
    ):
        await until(partial(has, store, 120))
    assert await store.effects(0) == await store.effects(1) == list(range(60))


async def test_a_failure_without_a_seek_is_refused_not_lost(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """The handler swallows its failure and says it is done: the next span does not meet the
    position.
    """
    topic = await make_topic(admin)
    await send(kafka, topic, 100)
    times = 0

    async def handle(delivery: PollBatch) -> bool:
        nonlocal times
        times += 1
        return True if times in {2, 5} else await store.commit(delivery)

    async with served(
        Subscription(kafka, fresh("group"), [topic], store, handle, max_records=10, timing=QUICK)
    ):
        await until(partial(has, store, 100))
    assert await store.effects() == list(range(100))
    assert store.refused == 2


async def test_two_writers_commit_each_span_once(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """Two groups deliver everything twice to one store of positions: as a zombie beside its
    successor.
    """
    topic = await make_topic(admin, partitions=3)
    await send(kafka, topic, 700, partitions=3)
    one = Subscription(
        kafka, fresh("group"), [topic], store, store.commit, max_records=20, timing=QUICK
    )
    other = Subscription(
        kafka, fresh("group"), [topic], store, store.commit, max_records=30, timing=QUICK
    )
    async with served(one), served(other):
        await until(partial(has, store, 2100))
    for partition in range(3):
        assert await store.effects(partition) == list(range(700))
    assert store.refused > 0


async def test_a_rebalance_waits_for_the_handler(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """A second member comes while the first handles: its positions are read after they moved,
    nothing is refused.
    """
    topic, group = await make_topic(admin, partitions=2), fresh("group")
    await send(kafka, topic, 50, partitions=2)
    started, go_on = asyncio.Event(), asyncio.Event()
    by_other: set[int] = set()

    async def first(delivery: PollBatch) -> bool:
        started.set()
        await go_on.wait()
        return await store.commit(delivery)

    async def second(delivery: PollBatch) -> bool:
        by_other.update(span.partition for span in delivery.spans)
        return await store.commit(delivery)

    async with served(
        Subscription(kafka, group, [topic], store, first, max_records=10, timing=QUICK)
    ) as running:
        await started.wait()
        async with asyncio.TaskGroup() as tasks:
            other = Subscription(kafka, group, [topic], store, second, max_records=10, timing=QUICK)
            joining = tasks.create_task(other.run())
            await asyncio.wait(
                {running, joining}, timeout=4.0
            )  # a heartbeat tells the first of the rebalance
            assert not by_other
            go_on.set()
            await until(partial(has, store, 100))
            await send(kafka, topic, 50, partitions=2)
            await until(partial(has, store, 200))
            other.stop()
    assert len(by_other) == 1
    for partition in range(2):
        assert await store.effects(partition) == list(range(100))
    assert store.refused == 0


async def test_a_handler_that_outlives_its_partition_is_refused(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """The revocation does not wait for ever; the late commit of the old owner changes nothing."""
    topic, group = await make_topic(admin, partitions=2), fresh("group")
    await send(kafka, topic, 50, partitions=2)
    started, go_on = asyncio.Event(), asyncio.Event()
    by_other: set[int] = set()

    async def first(delivery: PollBatch) -> bool:
        started.set()
        await go_on.wait()
        return await store.commit(delivery)

    async def second(delivery: PollBatch) -> bool:
        by_other.update(span.partition for span in delivery.spans)
        return await store.commit(delivery)

    impatient = replace(QUICK, revoke_seconds=0.1)
    async with served(
        Subscription(kafka, group, [topic], store, first, max_records=100, timing=impatient)
    ):
        await started.wait()
        async with served(Subscription(kafka, group, [topic], store, second, timing=impatient)):
            await until(partial(has, store, 50))
            go_on.set()
            await until(partial(has, store, 100))
    assert len(by_other) == 1
    for partition in range(2):
        assert await store.effects(partition) == list(range(50))
    assert store.refused == 1


async def test_a_stop_lets_the_handler_finish(
    kafka: str, admin: AIOKafkaAdminClient, store: Store
) -> None:
    """Cancelled in the middle of a delivery: that one is committed, no other is begun."""
    topic = await make_topic(admin)
    await send(kafka, topic, 50)
    started = asyncio.Event()
    times = 0

    async def handle(delivery: PollBatch) -> bool:
        nonlocal times
        times += 1
        started.set()
        await store.pool.execute("SELECT pg_sleep(0.5)")
        return await store.commit(delivery)

    subscription = Subscription(
        kafka, fresh("group"), [topic], store, handle, max_records=10, timing=QUICK
    )
    running = asyncio.create_task(subscription.run())
    await started.wait()
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    assert times == 1
    assert await store.effects() == list(range(10))
