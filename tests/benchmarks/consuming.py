"""`make bench`: our consumers draining a topic, each beside a bare loop over the same records, in
one run.

The bare loops: aiokafka's `getmany`, the JSON read and nothing checked, one statement of asyncpg
over arrays.
"""

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from pydantic import SecretStr

from compose.cli.process.processes import run_loop
from compose.consumer_groups import VIEWS
from compose.devstack.ports import free_ports
from compose.devstack.servers.kafka import KafkaServer
from compose.devstack.servers.postgres import PostgresServer
from compose.devstack.subprocesses import running
from compose.kafka import topics
from compose.kafka.log import KafkaLog
from compose.kafka.subscription import Subscription
from compose.postgres import migrate, roles
from compose.processes.projections import projection
from compose.processes.worker import consumer_parts
from compose.settings import Settings
from consumers.registry import BY_NAME
from producers.outbox.ports import Outgoing
from schemas.event import Event, following
from schemas.record import PartlyPaused, PollBatch
from schemas.topics import TOPIC_OF, USAGE, WEBHOOKS
from schemas.usage import UsageRecorded
from schemas.webhooks import WebhookReceived
from tests.benchmarks import bare
from tests.factories import door_event, new_id

RECORDS = int(os.environ.get("BENCH_RECORDS", "20000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
ONLY = os.environ.get("BENCH_ONLY", "ingest,billing,usage").split(",")
TENANTS, SOURCES = 10, 5
BATCH = 500
PROCESS = psutil.Process()
EMPTY = (
    "TRUNCATE positions, consumer_starts, suspect_records, processed, usage_records, events, "
    "outbox,"
    " read_usage_records, read_usage_days"
)
SOURCE = """
    INSERT INTO sources (tenant_id, id, name, scheme, options, action)
    VALUES ($1, $2, $3, 'standard_webhooks', '{}', '{"kind": "forward"}')
"""


@dataclass
class Drained:
    """Records by the time at which their commit was known."""

    commits: list[tuple[float, int]] = field(default_factory=list)
    whole: asyncio.Event = field(default_factory=asyncio.Event)
    count: int = 0
    cpu: list[float] = field(default_factory=list)

    def add(self, records: int) -> None:
        """A commit."""
        used = PROCESS.cpu_times()
        self.commits.append((time.perf_counter(), records))
        self.cpu.append(used.user + used.system)
        self.count += records
        if self.count >= RECORDS:
            self.whole.set()

    @property
    def rate(self) -> float:
        """Records a second, from the first commit on: how long it takes to join a group is left
        out.
        """
        return (self.count - self.commits[0][1]) / (self.commits[-1][0] - self.commits[0][0])

    @property
    def cpu_us(self) -> float:
        """CPU of this process per record."""
        return (self.cpu[-1] - self.cpu[0]) / (self.count - self.commits[0][1]) * 1e6


Subscribe = Callable[[], Subscription]
Statement = Callable[[asyncpg.Connection, Sequence[ConsumerRecord[Any, Any]]], Awaitable[Any]]


async def ours(parts: AbstractAsyncContextManager[Subscribe]) -> Drained:
    """As the process puts it together."""
    drained = Drained()
    async with parts as subscribe:
        subscription = subscribe()
        handle = subscription._handle

        async def counted(delivery: PollBatch) -> bool | PartlyPaused:
            became = await handle(delivery)
            assert became is True
            drained.add(len(delivery.records))
            return became

        subscription._handle = counted
        running_ = asyncio.create_task(subscription.run())
        await asyncio.wait(
            [running_, asyncio.create_task(drained.whole.wait())],
            return_when=asyncio.FIRST_COMPLETED,
        )
        subscription.stop()
        await running_
    return drained


async def theirs(settings: Settings, topic: str, statement: Statement) -> Drained:
    """The bare loop."""
    drained = Drained()
    connection = await asyncpg.connect(
        settings.postgres_url.get_secret_value(), server_settings={"role": "headrace_pipeline"}
    )
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=settings.kafka,
        group_id=f"bare.{new_id()}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with consumer:
        while not drained.whole.is_set():
            polled = await consumer.getmany(timeout_ms=1000, max_records=BATCH)
            records = [one for partition in polled.values() for one in partition]
            if records:
                await statement(connection, records)
                drained.add(len(records))
    await connection.close()
    return drained


@asynccontextmanager
async def consumer_of(name: str, settings: Settings) -> AsyncIterator[Subscribe]:
    """One consumer without its workers."""
    async with consumer_parts(BY_NAME[name], settings) as (subscribe, _, _):
        yield subscribe


def webhook(tenant: UUID, source: UUID) -> Event:
    """A body of 1 KiB, as the door writes it."""
    body = '{"type": "push", "data": {"n": 7, "text": "' + "x" * 950 + '"}}'
    data = WebhookReceived(
        request_id=new_id(),
        source_id=source,
        source_name="bench",
        scheme="standard_webhooks",
        external_id="1",
        content_type="application/json",
        size_bytes=len(body),
        sha256="0" * 64,
        body_encoding="text",
        body=body,
    )
    return door_event(data, source, tenant)


def usage(event: Event, number: int) -> Event:
    """A record of the ledger."""
    at = datetime.now(UTC)
    data = UsageRecorded(
        record_key=f"k{number}",
        period=at.date().replace(day=1),
        meter="training_seconds",
        quantity=Decimal("1.5"),
        unit="second",
        at=at,
        subject="s",
    )
    return following(
        event.cause, data, by="bench", subject="training_seconds", version=1, at=at, ordinal=number
    )


async def produce(settings: Settings) -> None:
    """The records, of so many tenants and sources in turn."""
    connection = await asyncpg.connect(
        settings.postgres_url.get_secret_value(), server_settings={"role": "headrace_pipeline"}
    )
    keys = [
        (tenant, new_id()) for tenant in (new_id() for _ in range(TENANTS)) for _ in range(SOURCES)
    ]
    await connection.executemany(SOURCE, [(tenant, source, str(source)) for tenant, source in keys])
    await connection.close()
    webhooks = [webhook(*keys[number % len(keys)]) for number in range(RECORDS)]
    kafka = KafkaLog(settings.kafka)
    for events in (webhooks, [usage(event, number) for number, event in enumerate(webhooks)]):
        for start in range(0, RECORDS, 2000):
            await kafka.send(
                [
                    Outgoing(
                        0,
                        TOPIC_OF[event.type],
                        event.key,
                        event.encode(),
                        event.headers(),
                    )
                    for event in events[start : start + 2000]
                ]
            )
    await kafka.stop()


async def compare(settings: Settings, owner: str) -> None:
    """Each in turn, so many rounds; a line for each and the ratio of the medians."""
    pairs: dict[
        str, tuple[Callable[[], AbstractAsyncContextManager[Subscribe]], str, Statement, float]
    ] = {
        "ingest": (lambda: consumer_of("ingest", settings), WEBHOOKS.name, bare.act, 0.5),
        "billing": (lambda: consumer_of("billing", settings), WEBHOOKS.name, bare.bill, 0.5),
        "usage": (lambda: projection(VIEWS["usage"], settings), USAGE.name, bare.project, 0.7),
    }
    connection = await asyncpg.connect(owner)
    for name in ONLY:
        parts, topic, statement, aim = pairs[name]
        found: dict[str, list[Drained]] = {"ours": [], "bare": []}
        for _ in range(ROUNDS):
            await connection.execute(EMPTY)
            found["ours"].append(await ours(parts()))
            await connection.execute(EMPTY)
            found["bare"].append(await theirs(settings, topic, statement))
        medians = {
            which: sorted(runs, key=lambda one: one.rate)[ROUNDS // 2]
            for which, runs in found.items()
        }
        for which, one in medians.items():
            print(f"{name:<8}{which:<6}{one.rate:8.0f}/s {one.cpu_us:6.0f} us CPU", flush=True)
        print(
            f"{name:<8}ours / bare {medians['ours'].rate / medians['bare'].rate:5.2f}   aim "
            f"{aim}\n",
            flush=True,
        )
    await connection.close()


async def prepare(postgres: PostgresServer, kafka: KafkaServer) -> Settings:
    """Roles, schema, topics and records."""
    login = f"postgresql://headrace:bench@127.0.0.1:{postgres.port}/bench"
    await roles.ensure(postgres.url("postgres"), login)
    await asyncio.to_thread(migrate.upgrade, login)
    settings = Settings(postgres_url=SecretStr(login), kafka=kafka.bootstrap)
    await topics.ensure(settings)
    await produce(settings)
    return settings


def main() -> None:
    """On a Postgres and a Kafka of its own."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory,
        contextlib.ExitStack() as stack,
    ):
        postgres_port, port, controller = free_ports(3)
        postgres = PostgresServer(Path(directory) / "postgres", postgres_port)
        kafka = KafkaServer(Path(directory) / "kafka", port, controller)
        stack.enter_context(running(postgres))
        stack.enter_context(running(kafka))
        settings = asyncio.run(prepare(postgres, kafka))
        print(f"{RECORDS} records of {TENANTS} tenants, medians of {ROUNDS} rounds", flush=True)
        run_loop(lambda: compare(settings, postgres.url("bench")))


if __name__ == "__main__":
    main()
