"""What a running stack holds back: consumers that are paused, and dead letters that are open."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

ANSWER_SECONDS = 5.0
PAUSED = "SELECT consumer, reason, changed_by, since FROM consumer_breakers WHERE state = 'paused' ORDER BY consumer"
OPEN = """
    SELECT consumer, count(*) AS letters FROM dead_letters WHERE state IN ('parked', 'replaying')
    GROUP BY consumer ORDER BY consumer
"""


@dataclass(frozen=True)
class Paused:
    """A consumer or projection that is paused, why, by whom and since when."""

    consumer: str
    reason: str
    by: str
    since: datetime


@dataclass(frozen=True)
class HeldBack:
    """Who is paused, and how many dead letters are open, by consumer."""

    paused: tuple[Paused, ...]
    dead_letters: dict[str, int]

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        paused = [
            {"consumer": one.consumer, "reason": one.reason, "by": one.by, "since": one.since.isoformat()}
            for one in self.paused
        ]
        return {"paused": paused, "dead_letters": self.dead_letters}


async def held_back(url: str) -> HeldBack:
    """Ask the database; raises what asyncpg raises, also where it is not migrated yet."""
    connection = await asyncpg.connect(
        url, timeout=ANSWER_SECONDS, command_timeout=ANSWER_SECONDS, server_settings={"role": "headrace_pipeline"}
    )
    try:
        paused = tuple(Paused(*row) for row in await connection.fetch(PAUSED))
        return HeldBack(paused, {row["consumer"]: row["letters"] for row in await connection.fetch(OPEN)})
    finally:
        await connection.close()
