"""The API process: webhook ingress, commands and reads."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

import consumers.dead_letters.http
import consumers.finalization.http
import consumers.ingest.http
import consumers.ingest.row_buffers.http
import consumers.replays.http
import producers.api.datasets.http
import producers.api.jobs.http
import producers.outbox.http
import producers.webhooks.http
import producers.webhooks.limits.http
import producers.webhooks.sources.http
import projections.jobs.http
import projections.metric_trends.http
import projections.usage.http
from compose.clock import database_clock
from compose.failpoints import failpoints
from compose.failures import door_refusal
from compose.http.admission import Admission, RequestBounds
from compose.http.api_rates import api_rates
from compose.http.app import Asgi, Traced, application
from compose.http.contract import contract
from compose.http.health import health
from compose.http.keys import Keys
from compose.http.tenant_share import TenantShare
from compose.postgres.connections import asyncpg_pool, engine
from compose.processes.ingress import ingress, limit_settings, previews, sealer_of
from compose.processes.job_checks import job_checks, jobs_of
from compose.processes.replays import requests
from compose.settings import Settings
from compose.storage import store as storage
from compose.storage.metered import open_metered
from consumers.ingest import store as datasets
from consumers.registry import BY_NAME
from consumers.replays import store as replays
from producers.access.http import authentication, whose_key
from producers.api.command import Commands
from producers.idempotency.executor import IdempotentExecutor
from producers.outbox import store as log
from producers.outbox.accept import Accept
from producers.outbox.log_tail import LogTail
from schemas.decode import read
from schemas.event import Event
from schemas.event_decode import FromNewer
from schemas.log import unpack_headers
from schemas.record import Record
from schemas.topics import DATASETS, JOBS

ACQUIRE_SECONDS = 4.0
READING = 10
"""Connections for all reads of tenants; one tenant has half of them at most."""


@asynccontextmanager
async def api(
    settings: Settings,
    stopping: asyncio.Event | None = None,
    *,
    acquire_seconds: float = ACQUIRE_SECONDS,
) -> AsyncIterator[Asgi]:
    """The API as an ASGI application; what was accepted is answered before it ends.

    `stopping` lets go who waits. A request waits for a connection for `acquire_seconds` at most.
    """
    async with AsyncExitStack() as stack:
        url = settings.postgres_url.get_secret_value()
        limits = {
            "statement_seconds": settings.api_statement_seconds,
            "acquire_seconds": acquire_seconds,
        }
        reading = engine(url, "headrace_api", "api", pool_size=READING, **limits)
        stack.push_async_callback(reading.dispose)
        opened = partial(asyncpg_pool, url, "headrace_pipeline", acquire_seconds=acquire_seconds)
        pool = await stack.enter_async_context(
            opened("api accept", 6, statement_seconds=settings.accept_seconds)
        )
        for_strangers = await stack.enter_async_context(
            opened("api strangers", 2, statement_seconds=settings.accept_seconds)
        )
        pipeline = engine(url, "headrace_pipeline", "api", pool_size=3, **limits)
        stack.push_async_callback(pipeline.dispose)
        clock = await database_clock(pipeline)

        accept = Accept(pool, door_refusal, failpoint=failpoints())
        stack.push_async_callback(accept.drain)
        transactions = TenantShare(reading, READING // 2, acquire_seconds).begin
        once = IdempotentExecutor(transactions, clock)
        following = LogTail(pipeline.begin, stopping or asyncio.Event())
        watching = asyncio.create_task(following.watch())
        stack.callback(watching.cancel)
        commands = Commands(accept, clock, once, pipeline.begin, door_refusal)

        def known(topic: str) -> Callable[[UUID, UUID], Awaitable[bool]]:
            async def exists(tenant: UUID, aggregate: UUID) -> bool:
                async with transactions(tenant) as tx:
                    return await log.has_any(tx, tenant, topic, aggregate)

            return exists

        async def named(tenant: UUID, dataset: str) -> UUID | None:
            async with transactions(tenant) as tx:
                return await datasets.newest_valid(tx, tenant, dataset)

        known_keys = engine(url, "headrace_api", "api keys", pool_size=2, **limits)
        stack.push_async_callback(known_keys.dispose)
        strangers = engine(url, "headrace_api", "api strangers", pool_size=2, **limits)
        stack.push_async_callback(strangers.dispose)
        whose = whose_key(Keys(known_keys, strangers).find)
        authenticate = authentication(whose)
        holding = engine(url, "headrace_pipeline", "api objects", pool_size=3, **limits)
        stack.push_async_callback(holding.dispose)
        objects = await open_metered(settings, holding.begin, settings.free_disk_bytes)
        uploads = replace(objects, free_bytes=settings.upload_free_disk_bytes)
        endpoint = await stack.enter_async_context(
            ingress(settings, pool, for_strangers, accept, objects, clock)
        )
        sealer = sealer_of(settings)
        preview = stack.enter_context(previews())
        routers = [
            producers.webhooks.sources.http.routes(
                authenticate, transactions, clock, once, sealer, preview, settings.called_at
            ),
            producers.webhooks.http.door(),
            producers.outbox.http.routes(authenticate, transactions, following),
            producers.webhooks.http.routes(
                authenticate, transactions, objects.read, replays.of_subject, jobs_of
            ),
            producers.webhooks.limits.http.routes(
                authenticate, transactions, limit_settings(settings), storage.used_bytes
            ),
            producers.api.datasets.http.routes(
                authenticate, commands, uploads, max_bytes=settings.max_upload_bytes
            ),
            producers.api.jobs.http.routes(
                authenticate,
                commands,
                known(DATASETS.name),
                named,
                known(JOBS.name),
                *job_checks(transactions),
            ),
            consumers.ingest.http.routes(authenticate, transactions, history(DATASETS.name)),
            consumers.ingest.row_buffers.http.routes(authenticate, transactions),
            consumers.finalization.http.routes(authenticate, transactions, objects.open),
            consumers.dead_letters.http.routes(
                authenticate, transactions, settings.kafka_topic_prefix
            ),
            consumers.replays.http.routes(
                authenticate, transactions, requests, clock.new_id, BY_NAME
            ),
            projections.jobs.http.routes(authenticate, transactions, history(JOBS.name)),
            projections.metric_trends.http.routes(authenticate, transactions),
            projections.usage.http.routes(authenticate, transactions),
            contract(settings),
            health(pool, accept),
        ]
        rates = api_rates(limit_settings(settings))
        yield Traced(
            endpoint,
            Admission(application(routers, _elsewhere(settings)), whose, _bounds(settings), rates),
        )


def _elsewhere(settings: Settings) -> str | None:
    """Where others call the API, when that is another address than the one it listens on."""
    return None if settings.public_url is None else settings.called_at


def _bounds(settings: Settings) -> RequestBounds:
    return RequestBounds(
        max_bytes=settings.max_request_bytes,
        # A payload to try is one level deep in the body of a dry run.
        max_depth=settings.max_webhook_depth + 1,
        body_seconds=settings.request_body_seconds,
        upload_bytes_per_second=settings.upload_bytes_per_second,
        at_once=settings.tenant_requests,
        uploads={("POST", "/v1/datasets")},
    )


def history(topic: str) -> Callable[[AsyncConnection, UUID, UUID], Awaitable[Sequence[Event]]]:
    """The events of one aggregate of `topic`, read from the log.

    Those that only a newer release knows are left out.
    """

    async def events(tx: AsyncConnection, tenant: UUID, aggregate: UUID) -> Sequence[Event]:
        rows = await log.of_aggregate(tx, tenant, topic, aggregate)
        key = f"{tenant}:{aggregate}".encode()
        found = []
        for row in rows:
            with suppress(FromNewer):
                found.append(
                    read(Record(topic, 0, row.seq, key, row.value, unpack_headers(row.headers), 0))
                )
        return found

    return events
