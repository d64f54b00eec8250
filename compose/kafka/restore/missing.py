"""From which event on each topic is to be published again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from compose.kafka.partition_expansion.progress import Look
from compose.kafka.restore.survey import TopicLoss
from compose.settings import Settings
from schemas.ids import first_at, time_of
from schemas.topics import DEAD_LETTERS

# Kafka removes what is older than the retention at moments of its own, by whole segments of up to
# seven days.
RETENTION_MARGIN = timedelta(hours=1)
SEGMENT = timedelta(days=8)
# What a reader had last may carry a later time than what it has next: clocks differ, a commit
# waits.
READER_MARGIN = timedelta(days=1)
# Consumers must still know what they have had, until all of it is consumed once more.
PROCESSED_MARGIN = timedelta(days=1)
NOW = "SELECT headrace_clock()"
BOUNDS = "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM events"
NEXT_TIME = "SELECT time FROM events WHERE seq >= $1 ORDER BY seq LIMIT 1"
PRESENT = "CREATE TEMP TABLE IF NOT EXISTS present_on_kafka (id uuid)"
EMPTY = "TRUNCATE present_on_kafka"
LOWEST = """
SELECT min(e.seq) AS lowest, min(e.seq) FILTER (WHERE e.id >= $3) AS first_seq,
       count(*) FILTER (WHERE e.id < $3) AS too_old
FROM events e
WHERE e.topic = $1 AND e.seq >= $2
  AND NOT EXISTS (SELECT FROM present_on_kafka p WHERE p.id = e.id)
  AND NOT EXISTS (SELECT FROM outbox o WHERE o.seq = e.seq)
  AND NOT EXISTS (SELECT FROM outbox_held h WHERE h.seq = e.seq)
"""
PRESENT_IN_LOG = """
SELECT min(e.seq) AS first_seq,
       count(DISTINCT e.id) = (SELECT count(DISTINCT id) FROM present_on_kafka) AS is_whole
FROM events e JOIN present_on_kafka p ON p.id = e.id
WHERE e.topic = $1 AND e.seq >= $2 AND e.id >= $3
"""
COUNT = """
SELECT count(*) FILTER (WHERE id >= $3) AS records, count(*) FILTER (WHERE id < $3) AS too_old,
       coalesce(sum(octet_length(value)) FILTER (WHERE id >= $3), 0)::bigint AS size_bytes
FROM events WHERE topic = $1 AND seq >= $2
"""


@dataclass(frozen=True)
class Range:
    """All of a topic from `first_seq` on, except ids below `oldest`: consumers may have forgotten
    those.

    `records` and `size_bytes` are published again, `too_old` are not. `is_whole`: all that Kafka
    has of the topic is published again too, so that a reader may continue from the log's end.
    """

    topic: str
    first_seq: int
    oldest: UUID
    records: int
    too_old: int
    size_bytes: int
    is_whole: bool = False


async def find_range(look: Look, loss: TopicLoss, first_seq: int | None) -> Range | None:
    """The range to publish again, None when nothing is missing; without `first_seq` it is worked
    out.

    Where Kafka has nothing: all that its retention would hold, and all that a reader who is behind
    has not had, however old. Else from the lowest of these that is not on Kafka; where a reader is
    below the log, from the lowest that is, too: it must see what it missed before what followed.
    """
    now: datetime = await look.connection.fetchval(NOW)
    remembered = now - remembered_for(look.settings)
    oldest = first_at(int(remembered.timestamp() * 1000))
    is_whole = False
    missed: Any = None
    if first_seq is None:
        first_seq = await _first_since(look.connection, _since(loss, now, remembered))
        # The copies of dead letters carry the id of what they are copies of, so they are not
        # compared.
        if not loss.is_empty and loss.topic is not DEAD_LETTERS:
            await _note_present(look, loss)
            missed = await look.connection.fetchrow(LOWEST, loss.topic.name, first_seq, oldest)
            first_seq = missed["first_seq"]
            if loss.has_below and first_seq is not None:
                since = await _first_since(look.connection, now - loss.topic.retention - SEGMENT)
                present: Any = await look.connection.fetchrow(
                    PRESENT_IN_LOG, loss.topic.name, since, oldest
                )
                if is_whole := present["is_whole"] and present["first_seq"] is not None:
                    first_seq = min(first_seq, present["first_seq"])
    if first_seq is None:
        if missed["lowest"] is None:
            return None
        return Range(loss.topic.name, missed["lowest"], oldest, 0, missed["too_old"], 0)
    row: Any = await look.connection.fetchrow(COUNT, loss.topic.name, first_seq, oldest)
    return Range(
        loss.topic.name,
        first_seq,
        oldest,
        row["records"],
        row["too_old"] if missed is None else missed["too_old"],
        row["size_bytes"],
        is_whole,
    )


def remembered_for(settings: Settings) -> timedelta:
    """For how long an event may be published again: its claims stay until all have consumed it."""
    return timedelta(days=settings.keep_processed_days) - PROCESSED_MARGIN


def _since(loss: TopicLoss, now: datetime, remembered: datetime) -> datetime:
    """From when on an event may be missing.

    A reader who is behind may need one from before the retention.
    """
    since = now - (loss.topic.retention - RETENTION_MARGIN)
    for one in loss.positions:
        if one.is_behind:
            last = one.last_event_id
            since = min(since, remembered if last is None else time_of(last) - READER_MARGIN)
    return since


async def _first_since(connection: asyncpg.Connection, since: datetime) -> int:
    """The seq from which on events are younger, by halving: there is no index on the time."""
    bounds: Any = await connection.fetchrow(BOUNDS)
    low, high = bounds
    while low < high:
        middle = (low + high) // 2
        time = await connection.fetchval(NEXT_TIME, middle)
        low, high = (low, middle) if time is None or time >= since else (middle + 1, high)
    return int(low)


async def _note_present(look: Look, loss: TopicLoss) -> None:
    """Put the id of every record that Kafka has of the topic into a table of this session."""
    await look.connection.execute(PRESENT)
    await look.connection.execute(EMPTY)
    places = {
        TopicPartition(loss.name, number): bounds
        for number, bounds in loss.log.items()
        if bounds[0] < bounds[1]
    }
    async with AIOKafkaConsumer(
        bootstrap_servers=look.settings.kafka,
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_bytes=16 << 20,
    ) as reader:
        reader.assign(list(places))
        for place, (begin, _) in places.items():
            reader.seek(place, begin)
        left = set(places)
        while left:
            polled = await reader.getmany(*left, timeout_ms=1000, max_records=5000)
            ids = [found for records in polled.values() for found in _ids(records)]
            await look.connection.copy_records_to_table(
                "present_on_kafka", records=[(one,) for one in ids], columns=["id"]
            )
            left = {place for place in left if await reader.position(place) < places[place][1]}


def _ids(records: Sequence[ConsumerRecord[bytes, bytes]]) -> list[UUID]:
    found = []
    for record in records:
        for name, value in record.headers:
            if name == "ce_id":
                try:
                    found.append(UUID(value.decode("ascii")))
                except (UnicodeDecodeError, ValueError):
                    continue
    return found
