"""The embedded Kafka keeps what it acknowledged, and is itself again after a crash."""

import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from compose.devstack.servers.kafka import KafkaServer
from compose.devstack.subprocesses import running
from tests.harness.ports import own_ports

TOPIC = "kept"
# The old session of the killed broker, 3 s, and the start of a JVM on a busy machine.
BACK_WITHIN_SECONDS = 36.0


@pytest.fixture
def server(data_dir: Path) -> KafkaServer:
    """A node that is not formatted yet."""
    port, controller_port = own_ports(2)
    return KafkaServer(data_dir / "kafka", port, controller_port)


async def test_an_acknowledged_record_survives_kill_9(server: KafkaServer) -> None:
    with running(server) as process:
        await _create_topic(server)
        await _send(server, b"before the crash")
        cluster = await _cluster_id(server)
        process.kill()
        process.wait()
    began = time.monotonic()
    with running(server):
        assert time.monotonic() - began < BACK_WITHIN_SECONDS
        await _send(server, b"after the crash")
        assert await _read(server, 2) == [b"before the crash", b"after the crash"]
        assert await _cluster_id(server) == cluster


def test_its_folder_is_its_owners_alone(server: KafkaServer) -> None:
    """One that an earlier version made readable for all is closed."""
    server.data_dir.mkdir(mode=0o755, parents=True)
    server.prepare()
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700


async def test_records_and_identity_survive_a_stop_and_other_ports(server: KafkaServer) -> None:
    with running(server):
        await _create_topic(server)
        await _send(server, b"one")
        cluster = await _cluster_id(server)
    port, controller_port = own_ports(2)
    moved = KafkaServer(server.data_dir, port, controller_port)
    with running(moved):
        assert await _read(moved, 1) == [b"one"]
        assert await _cluster_id(moved) == cluster


@asynccontextmanager
async def _admin(server: KafkaServer) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def _create_topic(server: KafkaServer) -> None:
    async with _admin(server) as admin:
        await admin.create_topics([NewTopic(TOPIC, num_partitions=1, replication_factor=1)])


async def _cluster_id(server: KafkaServer) -> str:
    async with _admin(server) as admin:
        return str((await admin.describe_cluster())["cluster_id"])


async def _send(server: KafkaServer, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=server.bootstrap, acks="all") as producer:
        await producer.send_and_wait(TOPIC, value)


async def _read(server: KafkaServer, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=server.bootstrap, auto_offset_reset="earliest")
    async with consumer:
        consumer.assign([TopicPartition(TOPIC, 0)])
        return [(await consumer.getone()).value for _ in range(count)]
