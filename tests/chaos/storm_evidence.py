"""What is there after a storm: the tables, the object store, and the topic as any Kafka client
reads it.
"""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import asyncpg

from compose.failures import is_transient
from compose.storage.object_store_url import open_objects
from schemas.topics import WEBHOOKS
from tests.acceptance.topics import each
from tests.chaos.live_stack import LiveStack
from tests.chaos.storm_checker import Appearance, Billed, Found

LOG = """
    SELECT aggregate_id, id::text, value FROM events
    WHERE topic = 'headrace.webhooks' AND NOT is_copy AND aggregate_id = ANY($1::text[])
        ORDER BY seq
"""
REQUESTS = (
    "SELECT source_id::text, event_id::text, body_hash FROM requests WHERE source_id = "
    "ANY($1::text[]::uuid[])"
)
KEPT_APART = (
    "SELECT id::text, body_key FROM requests WHERE source_id = ANY($1::text[]::uuid[]) "
    "AND body_key IS NOT NULL"
)
BILLS = """
    SELECT subject, quantity, event_ids::text[] FROM usage_records
    WHERE meter = 'webhook_events' AND subject = ANY($1::text[])
"""
SHOWN = """
    SELECT coalesce(sum(value), 0) FROM read_usage_days
    WHERE meter = 'webhook_events' AND generation = (SELECT live FROM projection_heads
        WHERE view = 'usage')
      AND tenant_id = ANY(SELECT tenant_id FROM sources WHERE id = ANY($1::text[]::uuid[]))
"""
PROGRESS = f"""
    SELECT (SELECT count(*) FROM outbox) AS unsent,
           (SELECT count(*) FROM requests WHERE source_id = ANY($1::text[]::uuid[])) AS stored,
           (SELECT coalesce(sum(quantity), 0) FROM usage_records
            WHERE meter = 'webhook_events' AND subject = ANY($1::text[])) AS billed,
           ({SHOWN}) AS shown
"""
LETTERS = "SELECT count(*) FROM dead_letters"


@asynccontextmanager
async def _connection(stack: LiveStack) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(
        stack.postgres_url,
        server_settings={"role": "headrace_pipeline"},
        timeout=5,
        command_timeout=300,
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


async def quiet(
    stack: LiveStack, sources: list[str], say: Callable[[str], None], seconds: float
) -> float:
    """Wait until all that is stored was sent, billed and shown.

    The seconds that it took, or all of them.
    """
    began = time.monotonic()
    while (took := time.monotonic() - began) < seconds:
        try:
            async with _connection(stack) as connection:
                now = dict((await connection.fetch(PROGRESS, sources))[0])
        except Exception as error:
            if not is_transient(error):
                raise
        else:
            if now["unsent"] == 0 and now["stored"] == now["billed"] == now["shown"]:
                break
            say(f"settling: {', '.join(f'{count} {what}' for what, count in now.items())}")
        await asyncio.sleep(0.5)
    return took


async def found_after(stack: LiveStack, sources: list[str]) -> Found:
    """Everything about these sources, whose tenants have no others."""
    objects = open_objects(stack.status.object_store or "")
    async with _connection(stack) as connection, connection.transaction():
        apart = {row[0]: row[1] for row in await connection.fetch(KEPT_APART, sources)}
        bodies = {
            request: hashlib.sha256(await objects.read(key) or b"").digest()
            for request, key in apart.items()
        }
        log = [
            Appearance(row["aggregate_id"], row["id"], _digest(json.loads(row["value"]), bodies))
            async for row in connection.cursor(LOG, sources, prefetch=500)
        ]
        requests = [Appearance(*row) for row in await connection.fetch(REQUESTS, sources)]
        bills = [
            Billed(row[0], row[1], tuple(row[2])) for row in await connection.fetch(BILLS, sources)
        ]
        shown: Decimal = await connection.fetchval(SHOWN, sources)
        left_over = {
            "events in the outbox": await connection.fetchval("SELECT count(*) FROM outbox"),
            "dead letters": await connection.fetchval(LETTERS),
        }
    own = set(sources)
    topic = [
        Appearance(one["subject"], one["id"], _digest(one, bodies))
        async for one in each(stack.kafka, WEBHOOKS)
        if one["subject"] in own
    ]
    return Found(topic, log, requests, bills, shown, left_over)


def _digest(envelope: dict[str, Any], bodies: dict[str, bytes]) -> bytes:
    """Of the body itself, not what the event says of it; empty when these differ."""
    data = envelope["data"]
    match data["body_encoding"]:
        case "text":
            digest = hashlib.sha256(data["body"].encode()).digest()
        case "base64":
            digest = hashlib.sha256(base64.b64decode(data["body"])).digest()
        case _:
            digest = bodies.get(data["request_id"], b"")
    return digest if digest.hex() == data["sha256"] else b""
