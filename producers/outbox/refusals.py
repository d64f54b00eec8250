"""What Kafka will not have waits alone: a topic with its rows, a record with what follows it
under its key.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from producers.outbox.confirmed import gone_back, is_reused, strike_off
from producers.outbox.partition_layout import Layout
from producers.outbox.ports import (
    Log,
    NotConfirmed,
    Outgoing,
    RecordRefused,
    Sent,
    Session,
    Statements,
)
from schemas.log import unpack_headers

log = logging.getLogger(__name__)

CHECK_SECONDS = 30.0  # between two looks at Kafka's ends
RETRY_SECONDS, LONGEST = 5.0, 12  # the longest pause is so many times the first
MOST_RETRIED = 8  # records in one go: each that is refused again costs a producer

# `why` is None for what follows a refused record under its key.
SET_ASIDE = """
WITH gone AS (
    DELETE FROM outbox o USING events e
    WHERE o.seq = ANY($1::bigint[]) AND e.seq = o.seq RETURNING o.seq, o.size_bytes, e.topic, e.key
)
INSERT INTO outbox_held (seq, size_bytes, topic, refused_why, refused_key, refused_at)
SELECT seq, size_bytes, topic, $2, key, headrace_clock() FROM gone
"""
REFUSED_KEYS = """
SELECT topic, refused_key AS key FROM outbox_held
WHERE refused_why IS NOT NULL AND refused_key IS NOT NULL
"""
# Those first that were not tried for longest.
REFUSED = """
SELECT e.seq, e.topic, e.key, e.value, e.headers
FROM (SELECT seq FROM outbox_held WHERE refused_why IS NOT NULL AND topic <> ALL($1::text[])
      ORDER BY refused_at, seq LIMIT $2) h JOIN events e USING (seq)
ORDER BY e.seq
"""
AGAIN = "UPDATE outbox_held SET refused_why = $2, refused_at = headrace_clock() WHERE seq = $1"
TAKE_BACK = """
WITH back AS (
    DELETE FROM outbox_held WHERE seq = $1 OR (topic = $2 AND refused_key = $3)
    RETURNING seq, size_bytes
)
INSERT INTO outbox (seq, size_bytes) SELECT seq, size_bytes FROM back
"""
# What a relay that was no longer the leader put aside for a reason that was over: nobody else
# brings it back.
LEFT = """
WITH back AS (
    DELETE FROM outbox_held h
    WHERE refused_why IS NULL AND CASE WHEN refused_key IS NULL
        THEN NOT EXISTS (
            SELECT FROM topic_layouts l
            WHERE l.topic = h.topic AND (held_since IS NOT NULL OR stopped_since IS NOT NULL))
        ELSE NOT EXISTS (
            SELECT FROM outbox_held g
            WHERE g.topic = h.topic AND g.refused_key = h.refused_key AND g.refused_why IS NOT NULL)
        END
    RETURNING seq, size_bytes
)
INSERT INTO outbox (seq, size_bytes) SELECT seq, size_bytes FROM back
"""
FIRST_OF_TOPIC = """
SELECT e.seq, e.topic, e.key, e.value, e.headers
FROM (SELECT seq FROM outbox_held
      WHERE topic = $1 AND refused_why IS NULL AND refused_key IS NULL ORDER BY seq LIMIT 1) h
JOIN events e USING (seq)
"""


def outgoing(row: Any) -> Outgoing:
    """The record of a row of `events`."""
    return Outgoing(
        row["seq"], row["topic"], row["key"], row["value"], unpack_headers(row["headers"])
    )


async def settle(connection: Statements, layout: Layout, sent: Sent) -> None:
    """Strike off what Kafka has, set aside what it refuses, stop a topic whose log is another
    one.
    """
    confirmed = list(sent.confirmed)
    for topic, batch in sent.reused:
        why = await is_reused(connection, batch)
        if why is None:
            confirmed.append(batch)
        else:
            await _stop(connection, layout, topic, f"{why}; headrace topics restore")
    await strike_off(connection, confirmed, layout.confirmed)
    for one in sent.refused:
        if one.seq is None:
            await _stop(connection, layout, one.topic, f"Kafka refuses it: {one.why}")
        else:
            await connection.execute(SET_ASIDE, [one.seq], one.why)
            log.error(
                "event %d of %s is refused by Kafka (%s): it waits, with its key",
                one.seq,
                one.topic,
                one.why,
            )
    if any(one.seq is not None for one in sent.refused):
        await load_refused(connection, layout)


async def stop_unanswered(connection: Statements, layout: Layout, topic: str) -> None:
    """Stop a topic that Kafka does not confirm: what is under way may still come, and be a copy."""
    why = "Kafka does not confirm it: has each partition a leader, and enough replicas in sync?"
    await _stop(connection, layout, topic, why)


async def load_refused(connection: Statements, layout: Layout) -> None:
    """Learn which keys wait behind a refused record; only the relay at work changes that."""
    rows = await connection.fetch(REFUSED_KEYS)
    layout.refused.clear()
    layout.refused.update((row["topic"], row["key"]) for row in rows)


async def without_waiting(connection: Statements, layout: Layout, rows: list[Any]) -> list[Any]:
    """The rows that may be sent; the others are put aside."""
    if parked := [row["seq"] for row in rows if row["topic"] in layout.waiting]:
        await layout.park(connection, parked)
        rows = [row for row in rows if row["topic"] not in layout.waiting]
    if behind := [row["seq"] for row in rows if (row["topic"], row["key"]) in layout.refused]:
        await connection.execute(SET_ASIDE, behind, None)
        rows = [row for row in rows if (row["topic"], row["key"]) not in layout.refused]
    return rows


async def _stop(connection: Statements, layout: Layout, topic: str, why: str) -> None:
    if topic not in layout.stopped:
        log.critical("sending to %s is stopped, other topics continue: %s", topic, why)
    await layout.stop(connection, topic, why)


class Retries:
    """Looks from time to time whether Kafka lost records, and whether it takes what it refused."""

    def __init__(
        self, connection: Session, kafka: Log, layout: Layout, retry_seconds: float = RETRY_SECONDS
    ) -> None:
        """The first retry comes after `retry_seconds`, the next ones later and later."""
        self._retry_seconds = retry_seconds
        self._longest = retry_seconds * LONGEST
        self._connection = connection
        self._kafka = kafka
        self._layout = layout
        self._clock = asyncio.get_running_loop().time
        self._check_at = 0.0
        self._retry_at = 0.0
        self._pauses: dict[str, tuple[float, float]] = {}
        self._loaded = False

    def restarted(self) -> None:
        """A new producer may meet another log."""
        self._check_at = 0.0

    async def look(self) -> None:
        """Do what is due; raises NotConfirmed, Regrown."""
        if not self._loaded:
            await self._connection.execute(LEFT)
            await load_refused(self._connection, self._layout)
            self._retry_at = self._clock() + self._retry_seconds
            self._loaded = True
        due = [topic for topic in sorted(self._layout.stopped) if self._is_due(topic)]
        if due or self._clock() >= self._check_at:
            await self._check(due)
        if self._clock() >= self._retry_at:
            self._retry_at = self._clock() + self._longest
            await self._retry_records()

    def _is_due(self, topic: str) -> bool:
        first = (self._clock() + self._retry_seconds, self._retry_seconds)
        at, _ = self._pauses.setdefault(topic, first)
        return self._clock() >= at

    async def _check(self, due: Sequence[str]) -> None:
        for topic in due:
            pause = min(2 * self._pauses[topic][1], self._longest)
            self._pauses[topic] = (self._clock() + pause, pause)
        short = await gone_back(self._connection, self._kafka, self._layout.confirmed)
        self._check_at = self._clock() + CHECK_SECONDS
        for topic, why in short.items():
            await _stop(self._connection, self._layout, topic, f"{why}; headrace topics restore")
            first = (self._clock() + self._retry_seconds, self._retry_seconds)
            self._pauses.setdefault(
                topic, first
            )  # one that waits already is looked at ever less often
        for topic in due:
            if topic not in short and topic not in self._layout.held:
                await self._retry_topic(topic)

    async def _retry_topic(self, topic: str) -> None:
        """Send the first of what waits, or nothing when nothing does.

        Where Kafka takes it, go on.
        """
        rows = await self._connection.fetch(FIRST_OF_TOPIC, topic)
        sent = await self._send(rows)
        if not sent.reused and all(one.seq is not None for one in sent.refused):
            await self._layout.resume(self._connection, topic)
            self._pauses.pop(topic, None)
            log.warning("sending to %s continues", topic)
        await settle(self._connection, self._layout, sent)

    async def _retry_records(self) -> None:
        await self._connection.execute(LEFT)
        rows = await self._connection.fetch(REFUSED, sorted(self._layout.waiting), MOST_RETRIED)
        for row in rows:
            sent = await self._send([row])
            for one in sent.refused:
                await self._refused_again(one)
            if sent.confirmed or sent.reused:
                async with self._connection.transaction():
                    await self._connection.execute(TAKE_BACK, row["seq"], row["topic"], row["key"])
                    await settle(
                        self._connection, self._layout, Sent(sent.confirmed, (), sent.reused)
                    )
                self._layout.refused.discard((row["topic"], row["key"]))
                log.warning("event %d of %s is no longer refused", row["seq"], row["topic"])

    async def _refused_again(self, one: RecordRefused) -> None:
        if one.seq is None:
            await settle(self._connection, self._layout, Sent(refused=(one,)))
        else:
            await self._connection.execute(AGAIN, one.seq, one.why)

    async def _send(self, rows: Sequence[Any]) -> Sent:
        if not rows:
            return Sent()
        try:
            return await self._kafka.send([outgoing(row) for row in rows])
        except NotConfirmed as error:
            await settle(self._connection, self._layout, Sent(error.sent.confirmed))
            raise
