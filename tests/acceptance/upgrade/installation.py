"""The installation that 83fb619 left: database, topics, objects, and what it had answered."""

import asyncio
import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import SecretStr

from compose.kafka import topics
from compose.postgres import migrate, roles
from compose.settings import Settings
from tests.harness.database import Cluster
from tests.harness.ports import own_ports

HERE = Path(__file__).parent
SINCE = timedelta(seconds=30)
"""Between the kill and the start of this code, by the database's clock: every lease is over."""
Record = tuple[str, int, str | None, str | None, Sequence[tuple[str, str]]]


@dataclass(frozen=True)
class Installation:
    """The settings of its processes, and `left`: what the script that made it wrote down."""

    settings: Settings
    left: Mapping[str, Any]
    superuser_url: str
    offset: timedelta
    """What its clock is ahead of this machine's; it has the hour at which it was killed."""

    def now(self) -> datetime:
        """The time that it has."""
        return datetime.now(UTC) + self.offset

    async def sql(self, query: str, *arguments: Any) -> list[Any]:
        """Rows, whosever they are."""
        connection = await asyncpg.connect(self.superuser_url)
        try:
            return list(await connection.fetch(query, *arguments))
        finally:
            await connection.close()


async def restored(cluster: Cluster, kafka: str, directory: Path) -> Installation:
    """Bring it back on these servers as the older release left it, then migrate."""
    left = json.loads(_unpacked("installation.json.gz"))
    login = cluster.url("upgrade")
    await roles.ensure(cluster.superuser_url, login)
    superuser = urlunsplit(urlsplit(cluster.superuser_url)._replace(path="/upgrade"))
    await _restore_database(superuser, kafka)
    with tarfile.open(fileobj=io.BytesIO(_unpacked("objects.tar.gz"))) as archive:
        archive.extractall(directory / "objects", filter="data")
    (port,) = own_ports(1)
    settings = Settings(
        data_dir=directory / "data",
        postgres_url=SecretStr(login),
        kafka=kafka,
        kafka_topic_prefix=left["prefix"],
        object_store=(directory / "objects").as_uri(),
        api_url=f"http://127.0.0.1:{port}",
        lease_seconds=5.0,
        secret_keys=SecretStr(left["secret_keys"]),
    )
    await asyncio.to_thread(migrate.upgrade, login)
    await topics.ensure(settings)
    await _publish(kafka, left["records"])
    # The same hour as then, whenever the test runs: signatures and deadlines are as they were.
    offset = datetime.fromisoformat(left["made_at"]) + SINCE - datetime.now(UTC)
    found = Installation(settings, left, superuser, offset)
    await found.sql("UPDATE clock_offset SET value = $1", offset)
    return found


async def removed(cluster: Cluster, installation: Installation) -> None:
    """Leave nothing on the shared servers."""
    prefix = installation.settings.kafka_topic_prefix
    admin = AIOKafkaAdminClient(bootstrap_servers=installation.settings.kafka)
    await admin.start()
    names = [name for name in await admin.list_topics() if name.startswith(prefix)]
    await admin.delete_topics(names)
    await admin.close()
    connection = await asyncpg.connect(cluster.superuser_url)
    await connection.execute("DROP DATABASE upgrade WITH (FORCE)")
    await connection.close()


async def _restore_database(superuser: str, kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    cluster_id = (await admin.describe_cluster())["cluster_id"]
    await admin.close()
    connection = await asyncpg.connect(superuser)
    await connection.execute(_unpacked("database.sql.gz").decode())
    # This Kafka is meant to be that one.
    await connection.execute("UPDATE public.kafka_cluster SET cluster_id = $1", cluster_id)
    await connection.close()


async def _publish(kafka: str, records: Sequence[Record]) -> None:
    """Every record at the place where it was."""
    expected: dict[tuple[str, int], int] = {}
    async with AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=2 << 20) as producer:
        sent = [
            await producer.send(
                topic,
                _bytes(value),
                key=_bytes(key),
                partition=partition,
                headers=[(name, text.encode("latin-1")) for name, text in headers],
            )
            for topic, partition, key, value, headers in records
        ]
        for confirming in sent:
            one = await confirming
            place = (one.topic, one.partition)
            assert one.offset == expected.setdefault(place, 0), place
            expected[place] += 1


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("latin-1")


def _unpacked(name: str) -> bytes:
    return gzip.decompress((HERE / name).read_bytes())
