"""How long a partition is nobody's after kill -9: dynamic and static membership, long and short sessions.

Bare aiokafka members in processes of their own; the figure is the longest gap between two records that were consumed.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from multiprocessing.context import ForkServerProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic

from compose.devstack.children import running
from compose.devstack.kafka import KafkaServer
from compose.devstack.ports import free_ports

Seen: TypeAlias = "Queue[tuple[float, int]]"
CONTEXT = multiprocessing.get_context("forkserver")
ROUNDS = 3
PARTITIONS = 4


def member(bootstrap: str, topic: str, session: float, instance: str | None, seen: Seen) -> None:
    """One consumer; says when it saw a record of which partition."""

    async def consume() -> None:
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=bootstrap, group_id=topic, group_instance_id=instance,
            session_timeout_ms=int(session * 1000), heartbeat_interval_ms=int(session * 250),
            enable_auto_commit=False, auto_offset_reset="latest", metadata_max_age_ms=1000,
        )  # fmt: skip
        async with consumer:
            async for record in consumer:
                seen.put((time.monotonic(), record.partition))

    asyncio.run(consume())


async def feed(bootstrap: str, topic: str) -> None:
    """A record into each partition, twenty times a second."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        while True:
            for partition in range(PARTITIONS):
                await producer.send(topic, b"x", partition=partition)
            await asyncio.sleep(0.05)


def start(*given: object) -> ForkServerProcess:
    """A member."""
    process = CONTEXT.Process(target=member, args=given, daemon=True)
    process.start()
    return process


async def wait_for_all(seen: Seen, after: float) -> float:
    """When every partition has been seen since `after`."""
    missing = set(range(PARTITIONS))
    while missing:
        at, partition = await asyncio.to_thread(seen.get, True, 60)
        if at > after:
            missing.discard(partition)
    return at


async def measure(bootstrap: str, session: float, static: bool, siblings: int, restart: bool) -> list[float]:
    """Seconds from each kill until every partition is consumed again."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    topic, seen = f"t{uuid4().hex}", CONTEXT.Queue()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    feeding = asyncio.create_task(feed(bootstrap, topic))
    names = [f"m{number}" if static else None for number in range(1 + siblings)]
    members = [start(bootstrap, topic, session, name, seen) for name in names]
    await wait_for_all(seen, time.monotonic() + 8)
    took: list[float] = []
    for _ in range(ROUNDS):
        victim = members.pop(0)
        name = names.pop(0)
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        victim.join()
        killed = time.monotonic()
        if restart:
            members.append(start(bootstrap, topic, session, name, seen))
            names.append(name)
        took.append(await wait_for_all(seen, killed + 0.2) - killed)
        if not restart:  # for the next round
            members.append(start(bootstrap, topic, session, name, seen))
            names.append(name)
        await wait_for_all(seen, time.monotonic() + 2 + session)
    feeding.cancel()
    for one in members:
        one.kill()
    await admin.close()
    return sorted(took)


async def grown(bootstrap: str, static: bool) -> str:
    """Whether a member that was killed and started again still sees partitions that are added."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    topic, seen = f"t{uuid4().hex}", CONTEXT.Queue()
    await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    feeding = asyncio.create_task(feed(bootstrap, topic))
    name = "m0" if static else None
    first = start(bootstrap, topic, 6.0, name, seen)
    await wait_for_all(seen, time.monotonic())
    first.kill()
    first.join()
    killed = time.monotonic()
    second = start(bootstrap, topic, 6.0, name, seen)
    await wait_for_all(seen, killed + 0.2)
    await admin.create_partitions({topic: NewPartitions(PARTITIONS + 1)})
    added = time.monotonic()
    said = "not within 30 s"
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        while time.monotonic() < added + 30:
            await producer.send(topic, b"x", partition=PARTITIONS)
            at, partition = await asyncio.to_thread(seen.get, True, 60)
            if partition == PARTITIONS:
                said = f"after {at - added:.1f} s"
                break
    feeding.cancel()
    second.kill()
    await admin.close()
    return said


async def main(bootstrap: str) -> None:
    """Each case in turn."""
    print(
        f"{'membership':10} {'session':>7} {'case':32} seconds after kill -9 ({ROUNDS} kills): lowest, median, highest"
    )
    for static in (False, True):
        said = await grown(bootstrap, static)
        print(f"{'static' if static else 'dynamic'}, started again after kill -9: an added partition is seen {said}")
    for siblings, restart in ((0, True), (1, False)):
        case = f"{siblings} sibling, {'started again' if restart else 'stays dead'}"
        for session, static in ((10.0, False), (6.0, False), (10.0, True), (6.0, True)):
            took = await measure(bootstrap, session, static, siblings, restart)
            kind = "static" if static else "dynamic"
            figures = f"{took[0]:.1f} {took[len(took) // 2]:.1f} {took[-1]:.1f}"
            print(f"{kind:10} {session:7.0f} {case:32} {figures}", flush=True)


if __name__ == "__main__":
    CONTEXT.set_forkserver_preload(["tests.benchmarks.takeover"])
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as directory:
        port, controller = free_ports(2)
        server = KafkaServer(Path(directory) / "kafka", port, controller)
        with running(server):
            asyncio.run(main(server.bootstrap))
    sys.exit(0)
