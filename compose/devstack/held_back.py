"""What a running stack holds back: consumers that are paused, open dead letters, topics that wait to be grown."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import asyncpg

ANSWER_SECONDS = 5.0
PAUSED = "SELECT consumer, reason, changed_by, since FROM consumer_breakers WHERE state = 'paused' ORDER BY consumer"
OPEN = """
    SELECT consumer, count(*) AS letters FROM dead_letters WHERE state IN ('parked', 'replaying')
    GROUP BY consumer ORDER BY consumer
"""
HELD = """
    SELECT topic, coalesce(held_by, '-') AS held_by, held_since,
           (SELECT count(*) FROM outbox_held h WHERE h.topic = l.topic) AS waiting
    FROM topic_layouts l WHERE held_since IS NOT NULL ORDER BY topic
"""
STOPPED = """
    SELECT topic, coalesce(stopped_why, '-'), stopped_since,
           (SELECT count(*) FROM outbox_held h WHERE h.topic = l.topic)
    FROM topic_layouts l WHERE stopped_since IS NOT NULL ORDER BY topic
"""
REFUSED = """
    SELECT topic, min(refused_why), min(seq), count(*) FROM outbox_held
    WHERE refused_why IS NOT NULL GROUP BY topic ORDER BY topic
"""


BLOCKED = """
    SELECT consumer, min(reason), min(since) FROM blocked_partitions GROUP BY consumer ORDER BY consumer
"""


@dataclass(frozen=True)
class Blocked:
    """A consumer or projection that waits for `headrace topics restore`, why and since when."""

    consumer: str
    reason: str
    since: datetime


@dataclass(frozen=True)
class Paused:
    """A consumer or projection that is paused, why, by whom and since when."""

    consumer: str
    reason: str
    by: str
    since: datetime


@dataclass(frozen=True)
class HeldTopic:
    """A topic that nothing is sent to, by whom and since when; `waiting` records will be."""

    topic: str
    by: str
    since: datetime
    waiting: int


@dataclass(frozen=True)
class StoppedTopic:
    """A topic that the relay cannot send to, why and since when; `waiting` records will be sent."""

    topic: str
    why: str
    since: datetime
    waiting: int


@dataclass(frozen=True)
class RefusedRecords:
    """Records of a topic that Kafka refuses, why, and the seq of the first; their keys wait."""

    topic: str
    why: str
    first_seq: int
    records: int


@dataclass(frozen=True)
class HeldBack:
    """Who is paused, open dead letters by consumer, topics that are held, who waits for a restore."""

    paused: tuple[Paused, ...]
    dead_letters: dict[str, int]
    topics: tuple[HeldTopic, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    stopped: tuple[StoppedTopic, ...] = ()
    refused: tuple[RefusedRecords, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        paused = [
            {"consumer": one.consumer, "reason": one.reason, "by": one.by, "since": one.since.isoformat()}
            for one in self.paused
        ]
        topics = [{**asdict(one), "since": one.since.isoformat()} for one in self.topics]
        blocked = [{**asdict(one), "since": one.since.isoformat()} for one in self.blocked]
        return {
            "paused": paused, "dead_letters": self.dead_letters, "held_topics": topics,
            "blocked": blocked,
            "stopped_topics": [{**asdict(one), "since": one.since.isoformat()} for one in self.stopped],
            "refused_records": [asdict(one) for one in self.refused],
        }  # fmt: skip


async def held_back(url: str) -> HeldBack:
    """Ask the database; raises what asyncpg raises, also where it is not migrated yet."""
    connection = await asyncpg.connect(
        url, timeout=ANSWER_SECONDS, command_timeout=ANSWER_SECONDS, server_settings={"role": "headrace_pipeline"}
    )
    try:
        paused = tuple(Paused(*row) for row in await connection.fetch(PAUSED))
        letters = {row["consumer"]: row["letters"] for row in await connection.fetch(OPEN)}
        topics = tuple(HeldTopic(*row) for row in await connection.fetch(HELD))
        blocked = tuple(Blocked(*row) for row in await connection.fetch(BLOCKED))
        stopped = tuple(StoppedTopic(*row) for row in await connection.fetch(STOPPED))
        refused = tuple(RefusedRecords(*row) for row in await connection.fetch(REFUSED))
        return HeldBack(paused, letters, topics, blocked, stopped, refused)
    finally:
        await connection.close()
