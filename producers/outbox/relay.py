"""The relay: what the outbox lists goes to Kafka, oldest first, and is struck off when Kafka has it."""

import asyncio
import logging
from datetime import datetime
from typing import Any

from producers.outbox.ports import Log, NotConfirmed, Outgoing, Reached, Relayed, Statements, nothing, untold
from schemas.log import unpack_headers

log = logging.getLogger(__name__)

# The lowest seqs that are present, never "above the last one": a transaction that commits late has a low seq.
LOWEST = """
SELECT o.seq, e.topic, e.key, e.value, e.headers, e.time
FROM (SELECT seq, sum(size_bytes) OVER (ORDER BY seq) - size_bytes AS before
      FROM (SELECT seq, size_bytes FROM outbox ORDER BY seq LIMIT $1) AS lowest) AS o
JOIN events e USING (seq)
WHERE o.before < $2
ORDER BY o.seq
"""
CONFIRM = "DELETE FROM outbox WHERE seq = ANY($1::bigint[])"
ELECTION = "SELECT pg_try_advisory_lock(hashtextextended('headrace.' || $1, 0)) AS elected"


async def elected(connection: Statements, office: str) -> bool:
    """Whether this connection holds the office now; it does until it closes."""
    return bool((await connection.fetch(ELECTION, office))[0]["elected"])


async def be_elected(
    connection: Statements, stopping: asyncio.Event, office: str = "relay", *, every_seconds: float = 0.5
) -> None:
    """Return once this connection holds the office (it holds it until it closes), or on `stopping`."""
    told = False
    while not stopping.is_set() and not await elected(connection, office):
        if not told:
            log.info("another %s is at work; waiting to take over", office)
            told = True
        await asyncio.sleep(every_seconds)


async def relay_once(
    connection: Statements, kafka: Log, *, max_records: int = 2000, max_bytes: int = 8 << 20,
    reached: Reached = nothing,
) -> int:  # fmt: skip
    """Send one round and strike it off; returns how many. Raises whatever stopped it, with nothing struck off.

    After an error the caller restarts the producer and calls again: all that is unconfirmed goes once more, from
    the lowest seq, so that the first appearance of a key's events is in order.
    """
    rows = await connection.fetch(LOWEST, max_records, max_bytes)
    if not rows:
        return 0
    reached("relay.read")
    await kafka.send([_outgoing(row) for row in rows])
    reached("relay.sent")
    await connection.execute(CONFIRM, [row["seq"] for row in rows])
    reached("relay.struck")
    return len(rows)


async def relay(
    connection: Statements, kafka: Log, stopping: asyncio.Event, *, idle_seconds: float = 0.02,
    reached: Reached = nothing, relayed: Relayed = untold,
) -> None:  # fmt: skip
    """Relay until `stopping`; a Kafka that fails is tried again for ever, a database that fails ends it."""
    pause = 0.1
    while not stopping.is_set():
        try:
            sent = await relay_once(connection, kafka, reached=reached)
        except NotConfirmed as error:
            relayed(None)
            log.warning("kafka did not confirm (%s: %s); a new producer in %.1f s", type(error).__name__, error, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)
            await kafka.restart()
            continue
        pause = 0.1
        if sent:
            relayed(sent)
        else:
            await asyncio.sleep(idle_seconds)


def _outgoing(row: Any) -> Outgoing:
    time: datetime = row["time"]
    return Outgoing(
        row["seq"], row["topic"], row["key"], row["value"], unpack_headers(row["headers"]), int(time.timestamp() * 1000)
    )
