"""What a stack holds back: paused consumers, open dead letters, topics and records that wait."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import asyncpg

ANSWER_SECONDS = 5.0
FOUND: Mapping[str, tuple[str, str]] = {
    "paused": (
        "consumer reason by since",
        """
        SELECT consumer, reason, changed_by, since FROM consumer_breakers
        WHERE state = 'paused' ORDER BY consumer
        """,
    ),
    "held_topics": (
        "topic by since waiting",
        """
        SELECT topic, coalesce(held_by, '-'), held_since,
               (SELECT count(*) FROM outbox_held h WHERE h.topic = l.topic)
        FROM topic_layouts l WHERE held_since IS NOT NULL ORDER BY topic
        """,
    ),
    "blocked": (
        "consumer reason since",
        """
        SELECT consumer, min(reason), min(since) FROM blocked_partitions
        GROUP BY consumer ORDER BY consumer
        """,
    ),
    "stopped_topics": (
        "topic why since waiting",
        """
        SELECT topic, coalesce(stopped_why, '-'), stopped_since,
               (SELECT count(*) FROM outbox_held h WHERE h.topic = l.topic)
        FROM topic_layouts l WHERE stopped_since IS NOT NULL ORDER BY topic
        """,
    ),
    "refused_records": (
        "topic why first_seq records",
        """
        SELECT topic, min(refused_why), min(seq), count(*) FROM outbox_held
        WHERE refused_why IS NOT NULL GROUP BY topic ORDER BY topic
        """,
    ),
}
"""What is asked: the names of a row's values, as JSON has them, and the query."""
OPEN = """
    SELECT consumer, count(*) AS letters FROM dead_letters WHERE state IN ('parked', 'replaying')
    GROUP BY consumer ORDER BY consumer
"""
KEYS = (*FOUND, "dead_letters")
HeldBack = dict[str, Any]
"""By the names in KEYS: rows as JSON has them, and of `dead_letters` the count by consumer."""


async def held_back(url: str) -> HeldBack:
    """Ask the database; raises what asyncpg raises, also where it is not migrated yet."""
    connection = await asyncpg.connect(
        url,
        timeout=ANSWER_SECONDS,
        command_timeout=ANSWER_SECONDS,
        server_settings={"role": "headrace_pipeline"},
    )
    try:
        found: HeldBack = {}
        for name, (names, query) in FOUND.items():
            rows = await connection.fetch(query)
            found[name] = [dict(zip(names.split(), map(_plain, row), strict=True)) for row in rows]
        found["dead_letters"] = {
            one["consumer"]: one["letters"] for one in await connection.fetch(OPEN)
        }
        return found
    finally:
        await connection.close()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
