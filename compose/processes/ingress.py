"""The composition of the webhook ingress: sources, limits, back-pressure and rejections."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any
from uuid import UUID

from compose.checked_settings import require
from compose.clock import Clock
from compose.failpoints import failpoints
from compose.failures import door_refusal
from compose.postgres.connections import BoundedPool
from compose.sealing import Sealer
from compose.settings import Settings
from compose.storage.metered import MeteredObjects
from compose.telemetry import recorders
from consumers.ingest.mapping import Unmappable, command
from consumers.ingest.rows import rows
from producers.outbox.accept import Accept
from producers.webhooks.backpressure import Capacity
from producers.webhooks.endpoint import WebhookEndpoint
from producers.webhooks.large_bodies import LargeBodies
from producers.webhooks.limits.limit import LIMITS, source_limits
from producers.webhooks.rates import Buckets
from producers.webhooks.rejections import Rejections
from producers.webhooks.sources.cache import SourceCache
from producers.webhooks.sources.ports import Preview
from producers.webhooks.webhook_limits import WebhookLimits

LARGE_BODY_THREADS = 2


def sealer_of(settings: Settings) -> Sealer:
    """What opens the signing secrets; raises WrongSetting."""
    require(settings, "secret_keys")
    assert settings.secret_keys is not None
    return Sealer(settings.secret_keys.get_secret_value())


@asynccontextmanager
async def ingress(
    settings: Settings,
    pool: BoundedPool,
    for_strangers: BoundedPool,
    accept: Accept,
    objects: MeteredObjects,
    clock: Clock,
) -> AsyncIterator[WebhookEndpoint]:
    """The webhook endpoint, and its two background duties.

    Ids of unknown sources are looked up on the pool `for_strangers`.
    """
    capacity = Capacity(
        pool, settings.postgres_disk, settings.free_disk_bytes, settings.unsent_bytes
    )
    rejections = Rejections(pool)
    sources = SourceCache(
        pool, for_strangers, sealer_of(settings), door_refusal, limit_settings(settings)
    )
    duties = [asyncio.create_task(capacity.watch()), asyncio.create_task(rejections.write())]
    try:
        failpoint = failpoints()
        with ThreadPoolExecutor(LARGE_BODY_THREADS, "large bodies") as threads:
            yield WebhookEndpoint(
                sources,
                accept,
                objects,
                clock,
                limits(settings),
                capacity,
                rejections,
                LargeBodies(threads),
                failpoint,
                recorders.webhook,
            )
    finally:
        for duty in duties:
            duty.cancel()
        await asyncio.gather(*duties, return_exceptions=True)


def limits(settings: Settings) -> WebhookLimits:
    """The limits that the webhook endpoint enforces."""
    default = source_limits(limit_settings(settings), {})
    return WebhookLimits(
        settings.max_webhook_bytes,
        default,
        settings.webhook_tolerance_seconds,
        settings.webhook_body_seconds,
        settings.webhook_identity_seconds,
        Buckets(default.per_source),
        Buckets(default.per_tenant),
    )


def limit_settings(settings: Settings) -> dict[str, float]:
    """The limits of tenants that have none of their own."""
    return {limit.name: getattr(settings, limit.name) for limit in LIMITS}


@contextmanager
def previews() -> Iterator[Preview]:
    """Dry runs in a thread of their own, one at a time: each takes up to a fifth of a second of
    Python's lock.
    """
    with ThreadPoolExecutor(1, "dry run") as thread:
        turns = LargeBodies(thread)

        async def preview(
            tenant: UUID, body: bytes, action: dict[str, Any], version: int
        ) -> dict[str, Any]:
            return await turns.run(tenant, partial(_preview, body, action, version))

        yield preview


def _preview(body: bytes, action: dict[str, Any], version: int) -> dict[str, Any]:
    """What ingest would make of a payload; raises ValueError with the reason."""
    if action["kind"] == "forward":
        return {"kind": "forward"}
    try:
        if action["kind"] == "rows":
            return {
                "kind": "rows",
                "dataset": action["dataset"],
                "rows": rows(body, action, version),
            }
        asked = command(body, action, version, UUID(int=0))
    except Unmappable as error:
        raise ValueError(str(error)) from None
    becomes = asked.whole.model_dump(mode="json", include={"target", "model", "options"})
    return {"kind": "command", "dataset_id": str(asked.dataset), **becomes}
