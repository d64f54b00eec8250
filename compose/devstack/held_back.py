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
class HeldBack:
    """Who is paused, how many dead letters are open, by consumer, and which topics are held."""

    paused: tuple[Paused, ...]
    dead_letters: dict[str, int]
    topics: tuple[HeldTopic, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        paused = [
            {"consumer": one.consumer, "reason": one.reason, "by": one.by, "since": one.since.isoformat()}
            for one in self.paused
        ]
        topics = [{**asdict(one), "since": one.since.isoformat()} for one in self.topics]
        return {"paused": paused, "dead_letters": self.dead_letters, "held_topics": topics}


async def held_back(url: str) -> HeldBack:
    """Ask the database; raises what asyncpg raises, also where it is not migrated yet."""
    connection = await asyncpg.connect(
        url, timeout=ANSWER_SECONDS, command_timeout=ANSWER_SECONDS, server_settings={"role": "headrace_pipeline"}
    )
    try:
        paused = tuple(Paused(*row) for row in await connection.fetch(PAUSED))
        letters = {row["consumer"]: row["letters"] for row in await connection.fetch(OPEN)}
        topics = tuple(HeldTopic(*row) for row in await connection.fetch(HELD))
        return HeldBack(paused, letters, topics)
    finally:
        await connection.close()
