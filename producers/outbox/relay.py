"""The relay: what the outbox lists goes to Kafka, oldest first, and is struck off when Kafka has
it.
"""

import asyncio
import logging
from dataclasses import dataclass

from producers.outbox.partition_layout import Layout
from producers.outbox.ports import (
    Log,
    NotConfirmed,
    NotOurs,
    Regrown,
    Relayed,
    Session,
    Statements,
    untold,
)
from producers.outbox.refusals import (
    RETRY_SECONDS,
    Retries,
    outgoing,
    settle,
    stop_unanswered,
    without_waiting,
)
from producers.outbox.stuck import StuckTopics
from schemas.ports import Failpoint, no_failpoint

log = logging.getLogger(__name__)

# The lowest seqs that are present, never "above the last one": a transaction that commits late has
# a low seq. Not joined: a join asks every partition of the log for every row; the bounds leave only
# those where the seqs are.
LOWEST = """
WITH lowest AS MATERIALIZED (
    SELECT seq, sum(size_bytes) OVER (ORDER BY seq) - size_bytes AS before
    FROM (SELECT seq, size_bytes FROM outbox ORDER BY seq LIMIT $1) AS present
)
SELECT seq, topic, key, value, headers FROM events
WHERE seq = ANY(ARRAY(SELECT seq FROM lowest WHERE before < $2))
  AND seq BETWEEN (SELECT min(seq) FROM lowest) AND (SELECT max(seq) FROM lowest)
ORDER BY seq
"""
ELECTION = "SELECT pg_try_advisory_lock(hashtextextended('headrace.' || $1, 0)) AS elected"


async def elected(connection: Statements, lock: str) -> bool:
    """Whether this connection has the leader's lock now; it does until it closes."""
    return bool((await connection.fetch(ELECTION, lock))[0]["elected"])


async def acquire_leadership(
    connection: Statements,
    stopping: asyncio.Event,
    lock: str = "relay",
    *,
    every_seconds: float = 0.5,
) -> None:
    """Return once this connection has the leader's lock (until it closes), or on `stopping`."""
    logged = False
    while not stopping.is_set() and not await elected(connection, lock):
        if not logged:
            log.info("another %s is the leader; this one waits", lock)
            logged = True
        await asyncio.sleep(every_seconds)


MOST_RECORDS, MOST_BYTES = 2000, 8 << 20
QUICK_SECONDS = 2.0


@dataclass
class RoundSize:
    """How much is sent in one round: half as much after one that Kafka did not confirm in time.

    It grows again only after rounds that were quick, or every second one would run out of time.
    """

    quick_seconds: float = QUICK_SECONDS
    records: int = MOST_RECORDS
    bytes: int = MOST_BYTES

    def timed_out(self) -> None:
        """Halve it, down to one record."""
        self.records, self.bytes = max(1, self.records // 2), max(1, self.bytes // 2)

    def confirmed(self, seconds: float) -> None:
        """Double it, when that took little time."""
        if self.records < MOST_RECORDS and seconds < self.quick_seconds:
            self.records = min(MOST_RECORDS, self.records * 2)
            self.bytes = min(MOST_BYTES, self.bytes * 2)


async def relay_once(
    connection: Statements,
    kafka: Log,
    layout: Layout | None = None,
    *,
    max_records: int = MOST_RECORDS,
    max_bytes: int = MOST_BYTES,
    failpoint: Failpoint = no_failpoint,
) -> int:
    """Send one round and strike it off; returns how many. Raises whatever stopped it.

    After an error what Kafka had confirmed is struck off. The caller restarts the producer and
    calls again: all that is unconfirmed goes once more, from the lowest seq, so that the first
    appearance of a key's events is in order.
    """
    layout = layout or Layout()
    rows = await connection.fetch(LOWEST, max_records, max_bytes)
    if layout.waiting or layout.refused:
        rows = await without_waiting(connection, layout, rows)
    if not rows:
        return 0
    failpoint("relay.read")
    try:
        sent = await kafka.send([outgoing(row) for row in rows])
    except NotConfirmed as error:
        await settle(connection, layout, error.sent)
        raise
    failpoint("relay.sent")
    await settle(connection, layout, sent)
    failpoint("relay.struck")
    return sum(len(batch.seqs) for batch in sent.confirmed)


async def relay(
    connection: Session,
    kafka: Log,
    stopping: asyncio.Event,
    layout: Layout | None = None,
    *,
    idle_seconds: float = 0.02,
    look_seconds: float = 0.25,
    retry_seconds: float = RETRY_SECONDS,
    quick_seconds: float = QUICK_SECONDS,
    failpoint: Failpoint = no_failpoint,
    relayed: Relayed = untold,
) -> None:
    """Relay until `stopping`.

    A Kafka that fails is tried again for ever, a database that fails ends it.
    """
    layout = layout or Layout()
    retries, size = Retries(connection, kafka, layout, retry_seconds), RoundSize(quick_seconds)
    stuck = StuckTopics()
    clock = asyncio.get_running_loop().time
    looked = -look_seconds
    pause, said = 0.1, ""
    while not stopping.is_set():
        if clock() - looked >= look_seconds:
            await _look(connection, layout)
            looked = clock()
        try:
            await retries.look()
            began = clock()
            sent = await relay_once(
                connection,
                kafka,
                layout,
                max_records=size.records,
                max_bytes=size.bytes,
                failpoint=failpoint,
            )
        except Regrown as error:
            await layout.hold(connection, error)
            log.error(
                "%s is suspended, its partitions were changed by another tool: %s;"
                " `headrace topics grow %s %d` consumes what is on it, then takes them over",
                error.topic,
                error,
                error.topic,
                error.found,
            )
            continue
        except NotConfirmed as error:
            relayed(None)
            for topic in stuck.after(error, is_smallest=size.records == 1):
                await stop_unanswered(connection, layout, topic)
            if error.slow:
                size.timed_out()
            _say(error, said, pause, size)
            said = str(error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)
            await kafka.restart()
            retries.restarted()
            continue
        pause, said = 0.1, ""
        if sent:
            stuck.confirmed()
            size.confirmed(clock() - began)
            relayed(sent)
        else:
            await asyncio.sleep(idle_seconds)


def _say(error: NotConfirmed, said: str, pause: float, size: RoundSize) -> None:
    if isinstance(error, NotOurs):
        if said != str(error):
            log.critical("nothing is sent: %s; headrace topics restore", error)
        return
    log.warning(
        "kafka did not confirm (%s: %s); a new producer in %.1f s, at most %d records a round",
        type(error).__name__,
        error,
        pause,
        size.records,
    )


async def _look(connection: Statements, layout: Layout) -> None:
    before = layout.held
    await layout.look(connection)
    for topic in sorted(before ^ layout.held):
        resumed = f"continues over {layout.partitions[topic]} partitions"
        log.warning(
            "%s %s", topic, "is suspended: its records wait" if topic in layout.held else resumed
        )
