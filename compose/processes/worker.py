"""A worker process: one or more consumers, each with its subscription and the queue that it
works off.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from compose.clock import Clock, database_clock
from compose.consumer_groups import group_of
from compose.failpoints import failpoints
from compose.failures import classify
from compose.kafka.pause_check import BreakerGate
from compose.kafka.subscription import Subscription
from compose.postgres.connections import engine
from compose.postgres.positions import Positions
from compose.processes.replays import lane_of
from compose.processes.shutdown import deliver, until_stopped
from compose.settings import Settings
from compose.storage.metered import open_metered
from compose.storage.object_store_url import open_objects
from compose.storage.rejected import remove_rejected
from compose.storage.scratch import scratch
from compose.telemetry import recorders
from compose.telemetry.logged_outbox import append_and_log
from consumers.billing.handler import Billing
from consumers.billing.ledger import record
from consumers.finalization import store as models
from consumers.finalization.handler import Finalization
from consumers.ingest.handler import Ingest
from consumers.ingest.row_buffers.append import SEALING
from consumers.ingest.row_buffers.flush_timer import SealWhenDue
from consumers.ingest.row_buffers.materialize import Sealing
from consumers.ingest.validation import Validation
from consumers.log.runner import Runner
from consumers.ports import Handle, Objects
from consumers.registry import BY_NAME, Consumer
from consumers.replays.worker.worker import ReplayWorker
from consumers.training.attempt import TrainingAttempt
from consumers.training.handler import Training
from consumers.work.limits import ResourceLimits
from consumers.work.task import Task
from consumers.work.worker import Worker
from producers.outbox import store as log
from producers.webhooks import store as webhooks
from producers.webhooks.sources import store as sources
from schemas.topics import DATASETS


def handler(consumer: Consumer, settings: Settings, clock: Clock) -> Handle:
    """What a consumer does, with what it needs of the others."""

    async def submitted(tx: AsyncConnection, tenant: UUID, dataset_id: UUID) -> bool:
        return await log.has_any(tx, tenant, DATASETS.name, dataset_id)

    objects = open_objects(settings.object_store, make=False)

    async def body_of(tx: AsyncConnection, tenant: UUID, request_id: UUID) -> bytes | None:
        key = await webhooks.body_key_of(tx, tenant, request_id)
        return None if key is None else await objects.read(key)

    handlers: dict[str, Callable[[], Handle]] = {
        "ingest": lambda: Ingest(sources.mappings_of, body_of, submitted, clock),
        "training": lambda: Training(
            clock, settings.training_seconds, settings.queue_seconds, models.tasks_of
        ),
        "finalization": lambda: Finalization(record, clock),
        "billing": lambda: Billing(clock),
    }
    return handlers[consumer.name]()


def tasks(
    consumer: Consumer, settings: Settings, clock: Clock, objects: Objects | None = None
) -> list[Task]:
    """What its workers do, in children.

    Without a store that is given, with that of the settings and no quota.
    """
    objects, memory = objects or open_objects(settings.object_store), settings.training_memory_bytes
    if "validation" in consumer.queues:
        limits = ResourceLimits(memory_bytes=memory, wall_seconds=300)
        return [Validation(objects, record, limits)]
    if "training" in consumer.queues:
        limits = ResourceLimits(
            memory_bytes=memory,
            cpu_seconds=settings.training_seconds * 2,
            wall_seconds=settings.training_seconds,
        )
        return [TrainingAttempt(objects, record, limits, clock)]
    return []


@asynccontextmanager
async def consumer_parts(
    consumer: Consumer, settings: Settings, alone: asyncio.Lock | None = None
) -> AsyncIterator[tuple[Callable[[], Subscription], list[Worker], ReplayWorker]]:
    """The composition of a consumer: how it subscribes, its workers when it has a queue, and its
    replay worker.
    """
    async with AsyncExitStack() as stack:
        pipeline = engine(
            settings.postgres_url.get_secret_value(),
            "headrace_pipeline",
            consumer.name,
            pool_size=5 + 3 * settings.training_slots,
            statement_seconds=settings.statement_seconds,
        )
        stack.push_async_callback(pipeline.dispose)
        clock = await database_clock(pipeline)
        prefix = settings.kafka_topic_prefix
        positions = Positions(pipeline, consumer.name)
        runner = Runner(
            consumer.name,
            consumer.wanted,
            handler(consumer, settings, clock),
            pipeline.begin,
            positions,
            append_and_log,
            classify,
            clock,
            prefix,
            limits=consumer.breaker,
            failpoint=failpoints(),
            counted=recorders.consumed(consumer.name),
            alone=alone or asyncio.Lock(),
            kept=timedelta(days=settings.keep_processed_days),
        )
        subscribe = partial(
            Subscription,
            settings.kafka,
            group_of(consumer.name, prefix),
            [prefix + topic for topic in consumer.topics],
            positions,
            runner,
            max_records=consumer.batch,
            client_id=f"headrace-{consumer.name}",
            gate=BreakerGate(pipeline, consumer.name),
            rebalanced=partial(recorders.rebalanced, consumer.name),
        )
        objects = await open_metered(settings, pipeline.begin, settings.upload_free_disk_bytes)
        workers = [
            Worker(
                task,
                pipeline.begin,
                append_and_log,
                classify,
                clock,
                settings.lease_seconds,
                settings.training_slots,
                settings.tenant_pieces,
                scratch=stack.enter_context(scratch(settings.scratch_root)),
                failpoint=failpoints(),
                leased=recorders.lease,
                ready=objects.check,
                ended=partial(remove_rejected, objects),
            )
            for task in tasks(consumer, settings, clock, objects)
        ]
        yield subscribe, workers, lane_of(runner)


@asynccontextmanager
async def sealing_parts(settings: Settings) -> AsyncIterator[tuple[SealWhenDue, Worker]]:
    """What seals rows into data sets: the duty that cuts what is due, and the worker that writes
    what was cut.
    """
    pipeline = engine(
        settings.postgres_url.get_secret_value(),
        "headrace_pipeline",
        SEALING,
        pool_size=4,
        statement_seconds=settings.statement_seconds,
    )
    try:
        clock = await database_clock(pipeline)
        limits = ResourceLimits(memory_bytes=settings.training_memory_bytes, wall_seconds=300)
        objects = await open_metered(settings, pipeline.begin, settings.upload_free_disk_bytes)
        task = Sealing(pipeline.begin, objects, limits, settings.max_upload_bytes)
        with scratch(settings.scratch_root) as room:
            worker = Worker(
                task,
                pipeline.begin,
                append_and_log,
                classify,
                clock,
                settings.lease_seconds,
                most_of_tenant=settings.tenant_pieces,
                scratch=room,
                leased=recorders.lease,
                ready=objects.check,
            )
            yield SealWhenDue(pipeline.begin, classify), worker
    finally:
        await pipeline.dispose()


async def run(settings: Settings, names: Sequence[str], stop: asyncio.Event) -> None:
    """Run consumers by name, all of them without one, until stopped or until one gives up.

    A Kafka that fails ends the subscription, which is made anew; the children of the workers run on
    meanwhile.
    """
    chosen = [BY_NAME[name] for name in names or BY_NAME]
    alone = asyncio.Lock()

    async def one(consumer: Consumer) -> None:
        async with AsyncExitStack() as stack:
            subscribe, workers, replay_worker = await stack.enter_async_context(
                consumer_parts(consumer, settings, alone)
            )
            sealing = SEALING in consumer.queues
            beside = await stack.enter_async_context(sealing_parts(settings)) if sealing else ()
            group = await stack.enter_async_context(asyncio.TaskGroup())
            group.create_task(until_stopped(stop, lambda: deliver(subscribe(), stop)))
            for part in (replay_worker, *workers, *beside):
                group.create_task(part.run(stop))

    async with asyncio.TaskGroup() as group:
        for consumer in chosen:
            group.create_task(until_stopped(stop, partial(one, consumer)))
