"""The relay: what the outbox lists goes to Kafka, oldest first, and is struck off when Kafka has it."""

import asyncio
import logging
from datetime import datetime
from typing import Any

from producers.outbox.confirmed import strike_off
from producers.outbox.layout import Layout
from producers.outbox.ports import Log, NotConfirmed, Outgoing, Reached, Regrown, Relayed, Statements, nothing, untold
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
    connection: Statements, kafka: Log, layout: Layout | None = None, *, max_records: int = 2000,
    max_bytes: int = 8 << 20, reached: Reached = nothing,
) -> int:  # fmt: skip
    """Send one round and strike it off; returns how many. Raises whatever stopped it.

    After an error what Kafka had confirmed is struck off. The caller restarts the producer and calls again: all that
    is unconfirmed goes once more, from the lowest seq, so that the first appearance of a key's events is in order.
    """
    rows = await connection.fetch(LOWEST, max_records, max_bytes)
    if layout and layout.held:
        rows = await _without_held(connection, layout, rows)
    if not rows:
        return 0
    reached("relay.read")
    try:
        sent = await kafka.send([_outgoing(row) for row in rows])
    except NotConfirmed as error:
        await strike_off(connection, error.sent.confirmed)
        raise
    reached("relay.sent")
    await strike_off(connection, sent.confirmed)
    reached("relay.struck")
    return sum(len(batch.seqs) for batch in sent.confirmed)


async def relay(
    connection: Statements, kafka: Log, stopping: asyncio.Event, layout: Layout | None = None, *,
    idle_seconds: float = 0.02, look_seconds: float = 0.25, reached: Reached = nothing, relayed: Relayed = untold,
) -> None:  # fmt: skip
    """Relay until `stopping`; a Kafka that fails is tried again for ever, a database that fails ends it."""
    layout = layout or Layout()
    clock = asyncio.get_running_loop().time
    looked = -look_seconds
    pause = 0.1
    while not stopping.is_set():
        if clock() - looked >= look_seconds:
            await _look(connection, layout)
            looked = clock()
        try:
            sent = await relay_once(connection, kafka, layout, reached=reached)
        except Regrown as error:
            await layout.hold(connection, error)
            log.error(
                "%s is held, for somebody else has changed it: %s; `headrace topics grow %s %d` consumes it to its end,"
                " then takes them over", error.topic, error, error.topic, error.found,
            )  # fmt: skip
            continue
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


async def _look(connection: Statements, layout: Layout) -> None:
    before = layout.held
    await layout.look(connection)
    for topic in sorted(before ^ layout.held):
        goes_on = f"goes on over {layout.partitions[topic]} partitions"
        log.warning("%s %s", topic, "is held: its rows wait" if topic in layout.held else goes_on)


async def _without_held(connection: Statements, layout: Layout, rows: list[Any]) -> list[Any]:
    waiting = [row["seq"] for row in rows if row["topic"] in layout.held]
    if waiting:
        await layout.park(connection, waiting)
    return [row for row in rows if row["topic"] not in layout.held]


def _outgoing(row: Any) -> Outgoing:
    time: datetime = row["time"]
    return Outgoing(
        row["seq"], row["topic"], row["key"], row["value"], unpack_headers(row["headers"]), int(time.timestamp() * 1000)
    )
