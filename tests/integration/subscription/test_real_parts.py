"""One consumer as in production: answers that are lost, databases that go back, poison of a
dozen kinds.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.processes.worker import consumer_parts
from compose.settings import Settings
from consumers.registry import BY_NAME
from schemas.event import Event
from schemas.record import Record
from schemas.topics import WEBHOOKS
from tests.eventually import eventually
from tests.factories import record_of
from tests.harness.database import Cluster
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.postgres_proxy import postgres_proxy

BILLING = BY_NAME["billing"]


async def produce(settings: Settings, things: Sequence[Event | Record]) -> None:
    """In order, all into partition 0."""
    async with AIOKafkaProducer(
        bootstrap_servers=settings.kafka, max_request_size=2 << 20
    ) as producer:
        for thing in things:
            record = record_of(thing) if isinstance(thing, Event) else thing
            await producer.send_and_wait(
                settings.kafka_topic_prefix + WEBHOOKS.name,
                record.value,
                record.key,
                partition=0,
                headers=list(record.headers),
            )


async def consumed(bench: Bench, settings: Settings, stands_at: int) -> None:
    """Run the consumer until its position in partition 0 is there."""

    async def at() -> Any:
        return (await bench.next("billing")).get(settings.kafka_topic_prefix + WEBHOOKS.name)

    async with consumer_parts(BILLING, settings) as (subscribe, *_), subscribe() as running:
        waiting = asyncio.create_task(running.wait())
        await eventually(at, lambda found: found == stands_at or waiting.done(), seconds=40)
        running.stop()
        await waiting


async def billed(bench: Bench) -> set[Any]:
    """The events on usage records; each once, or it fails."""
    found = [
        row["id"] for row in await bench.ask("SELECT unnest(event_ids) AS id FROM usage_records")
    ]
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.foreign("put on one partition by hand")
async def test_the_answer_to_a_commit_is_lost(
    settings: Settings, bench: Bench, database: str
) -> None:
    """Postgres has committed, the connection dies before it can say so, three times: nothing
    twice, nothing lost.
    """
    events = rows.webhooks(60)
    async with postgres_proxy(database) as (proxy, url):
        through = settings.model_copy(update={"postgres_url": SecretStr(url)})
        async with consumer_parts(BILLING, through) as (subscribe, *_), subscribe():
            for round_ in range(3):
                proxy.armed = True
                await produce(settings, events[20 * round_ : 20 * (round_ + 1)])

                async def done(count: int = 20 * (round_ + 1)) -> bool:
                    return sum((await bench.next("billing")).values()) == count

                await eventually(done, seconds=30)
            lost = proxy.lost
    assert lost == 3
    assert await billed(bench) == {one.id for one in events}
    assert await bench.value("SELECT count(*) FROM dead_letters") == 0


@pytest.fixture
async def other(cluster: Cluster) -> Any:
    """The name of a database to come, dropped in the end."""
    name = f"t{uuid4().hex}"
    yield name
    admin = await asyncpg.connect(cluster.superuser_url)
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.close()


async def backed_up(cluster: Cluster, pipeline: AsyncEngine, database: str, name: str) -> str:
    """A copy of the database as it is now."""
    await pipeline.dispose()
    admin = await asyncpg.connect(cluster.superuser_url)
    source = urlsplit(database).path.lstrip("/")
    await admin.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'"
    )
    await admin.execute(
        f"CREATE DATABASE {name} TEMPLATE {source} OWNER headrace_owner STRATEGY FILE_COPY"
    )
    await admin.close()
    return cluster.url(name)


@pytest.mark.foreign("put on one partition by hand")
@pytest.mark.parametrize("log_reaches", [True, False])
async def test_postgres_is_restored_to_an_earlier_hour(
    settings: Settings,
    bench: Bench,
    cluster: Cluster,
    database: str,
    other: str,
    admin: AIOKafkaAdminClient,
    log_reaches: bool,
) -> None:
    """Kafka is ahead: what the backup does not know of has its effect again, once.

    Or it says that it cannot.
    """
    from compose.postgres.connections import engine

    events = rows.webhooks(50)
    await produce(settings, events[:20])
    await consumed(bench, settings, 20)
    restored = await backed_up(cluster, bench.pipeline, database, other)
    await produce(settings, events[20:])
    await consumed(bench, settings, 50)

    earlier = settings.model_copy(update={"postgres_url": SecretStr(restored)})
    pool = engine(restored, "headrace_pipeline", "test", pool_size=2)
    after = Bench(pool, earlier)
    try:
        assert await after.value("SELECT count(*) FROM usage_records") == 20
        if log_reaches:
            await consumed(after, earlier, 50)
            assert await billed(after) == {one.id for one in events}
            return
        place = TopicPartition(settings.kafka_topic_prefix + WEBHOOKS.name, 0)
        await admin.delete_records({place: RecordsToDelete(30)})
        async with consumer_parts(BILLING, earlier) as (subscribe, *_), subscribe():
            reason = await eventually(lambda: after.value("SELECT reason FROM blocked_partitions"))
        assert "restore or rebuild: position 20 of " in reason
        assert reason.endswith("which starts at 30 and ends at 50")
        assert await after.value("SELECT count(*) FROM usage_records") == 20
    finally:
        await pool.dispose()


def poison(good: Record) -> dict[str, Record]:
    """A dozen kinds, each made from a good record."""
    value = good.value or b""
    envelope = json.loads(value)

    def with_headers(**changed: bytes) -> Record:
        return replace(
            good, headers=tuple((name, changed.get(name, old)) for name, old in good.headers)
        )

    def with_envelope(**changed: object) -> Record:
        return replace(good, value=json.dumps({**envelope, **changed}).encode())

    def with_data(**changed: object) -> Record:
        return with_envelope(data={**envelope["data"], **changed})

    stranger = str(uuid4())
    return {
        "bad JSON": replace(good, value=value[:-5]),
        "NUL in text": with_envelope(subject="a\x00b"),
        "a lone surrogate": replace(good, value=value.replace(b'"ci"', b'"\\ud800"')),
        "bad schema": with_data(size_bytes="many"),
        "header bytes that are not UTF-8": with_headers(ce_type=b"\xff\xfe"),
        "no value": replace(good, value=None),
        "oversize": replace(good, value=b'{"x":"' + b"a" * (1 << 20) + b'"}'),
        "another tenant in the key": replace(
            good, key=f"{stranger}:{envelope['subject']}".encode()
        ),
        "another tenant in a header": with_headers(ce_tenantid=stranger.encode()),
        "another tenant in the value": with_envelope(tenantid=stranger),
        "unknown version": with_envelope(dataschema=f"urn:headrace:{envelope['type']}:v9"),
        "no headers": replace(good, headers=()),
        "another id in a header": with_headers(ce_id=stranger.encode()),
        "deep nesting": replace(good, value=b"[" * 100_000 + b"]" * 100_000),
    }


@pytest.mark.foreign("poison")
async def test_poison_of_a_dozen_kinds(settings: Settings, bench: Bench) -> None:
    """Each is one dead letter with its bytes, and what stands between is applied."""
    kinds = poison(record_of(rows.webhooks(1)[0]))
    good = rows.webhooks(len(kinds) + 1)
    mixed: list[Event | Record] = [good[0]]
    for one, bad in zip(good[1:], kinds.values(), strict=True):
        mixed += [bad, one]
    await produce(settings, mixed)

    await consumed(bench, settings, len(mixed))

    letters = await bench.ask(
        'SELECT value, key, attempts, error_class, error FROM dead_letters ORDER BY "offset"'
    )
    assert [row["value"] for row in letters] == [one.value for one in kinds.values()]
    assert [row["key"] for row in letters] == [one.key for one in kinds.values()]
    assert {(row["attempts"], row["error_class"]) for row in letters} == {
        (1, "undecodable"),
        (1, "unknown_version"),
    }
    assert await billed(bench) == {one.id for one in good}
    copies = await bench.value("SELECT count(*) FROM events JOIN outbox USING (seq) WHERE is_copy")
    assert copies == len(kinds)
    print(
        f"\npoison: {len(kinds)} kinds, {len(letters)} dead letters, {len(good)} good ones applied"
    )
