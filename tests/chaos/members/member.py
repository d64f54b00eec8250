"""A member of a consumer group in its own process: the real subscription and runner, a handler
to count by.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from compose.clock import Clock
from compose.failures import classify
from compose.kafka.pause_check import BreakerGate
from compose.kafka.subscription import Subscription
from compose.postgres.connections import engine
from compose.postgres.positions import Positions
from compose.processes.loop_watchdog import watched
from compose.processes.shutdown import deliver, stopping
from consumers.log.circuit_breaker.policy import BreakerLimits
from consumers.log.outcome import Applied, Outcome
from consumers.log.runner import Runner
from producers.outbox.append import append
from schemas.event import Event
from schemas.topics import WEBHOOKS
from schemas.webhooks import WebhookReceived

CONSUMER = "billing"  # one that the registry knows, so that the command line can be asked about it
LIMITS = BreakerLimits(max_run=10)
# No unique key: a second effect shows.
TABLE = """
    CREATE TABLE effects (
        seq bigint GENERATED ALWAYS AS IDENTITY, event_id uuid, key text, number int, pid int,
        at timestamptz DEFAULT clock_timestamp()
    );
    GRANT SELECT, INSERT ON effects TO headrace_pipeline;
"""
EFFECT = text("""
    INSERT INTO effects (event_id, key, number, pid)
    SELECT *, :pid FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[]), CAST(:numbers AS int[]))
""")


@dataclass(frozen=True)
class Orders:
    """Where to work, and how."""

    postgres_url: str
    kafka: str
    prefix: str
    broken: bool = False
    blocks_at: int | None = None
    """The number of a message whose handling never gives the event loop back."""
    still_seconds: float = 30.0


def member(orders: Orders) -> None:
    """The process."""
    logging.basicConfig(
        level="WARNING", stream=sys.stderr, format="%(process)d %(name)s %(message).300s"
    )
    logging.getLogger("aiokafka").setLevel("CRITICAL")
    asyncio.run(_serve(orders))


async def _serve(orders: Orders) -> None:
    async def handle(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        if orders.broken:
            raise RuntimeError("a bad deploy")
        numbers = [
            int(one.data.body or "") for one in events if isinstance(one.data, WebhookReceived)
        ]
        while orders.blocks_at in numbers:
            pass
        await tx.execute(
            EFFECT,
            {
                "pid": os.getpid(),
                "ids": [one.id for one in events],
                "keys": [one.subject for one in events],
                "numbers": numbers,
            },
        )
        return [Applied() for _ in events]

    pipeline = engine(orders.postgres_url, "headrace_pipeline", "member", pool_size=3)
    positions = Positions(pipeline, CONSUMER)
    runner = Runner(
        CONSUMER,
        frozenset({WebhookReceived.TYPE}),
        handle,
        pipeline.begin,
        positions,
        append,
        classify,
        Clock(),
        orders.prefix,
        limits=LIMITS,
        bug_seconds=0.05,
    )
    with watched(orders.still_seconds, look_seconds=0.2):
        async with stopping() as stop:
            subscription = Subscription(
                orders.kafka,
                f"{orders.prefix}members",
                [orders.prefix + WEBHOOKS.name],
                positions,
                runner,
                200,
                gate=BreakerGate(pipeline, CONSUMER, 0.2),
            )
            await deliver(subscription, stop)
        await pipeline.dispose()


async def make_table(database: str) -> None:
    """Where the members write."""
    connection = await asyncpg.connect(database, server_settings={"role": "headrace_owner"})
    try:
        await connection.execute(TABLE)
    finally:
        await connection.close()
