"""Members of one group are killed at random: each message has its effect once, and each key's
order is kept.
"""

import asyncio
import random
import time
from dataclasses import dataclass

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.chaos.conftest import LONG
from tests.chaos.members.crew import Feed, crew, evidence, feeding
from tests.chaos.members.member import Orders, make_table
from tests.eventually import eventually

MEMBERS, KILLS, RATE = (8, 40, 400) if LONG else (8, 4, 200)
PARTITIONS = 32


@dataclass(frozen=True)
class Kill:
    """Who died, and when."""

    pid: int
    at: float


@pytest.mark.timeout(1200 if LONG else 600)
async def test_a_storm_of_kills_loses_nothing(
    kafka: str, admin: AIOKafkaAdminClient, database: str, seed: int
) -> None:
    print(f"\nseed {seed}")
    dice = random.Random(seed)
    await make_table(database)
    kills: list[Kill] = []
    async with feeding(kafka, admin, seed, PARTITIONS) as feed, evidence(database) as asked:
        with crew() as members:
            orders = Orders(database, kafka, feed.prefix)
            for _ in range(MEMBERS):
                members.start(orders)
            flow = asyncio.create_task(flowing(feed))
            spread = "SELECT count(DISTINCT pid) FROM effects"
            await eventually(
                lambda: asked.fetchval(spread), lambda found: found >= MEMBERS // 2, seconds=40
            )
            for _ in range(KILLS):
                await asyncio.sleep(dice.uniform(0.2, 4.0))
                victim = dice.choice(members.members)
                at = time.time()
                kills.append(Kill(members.kill(victim), at))
                members.start(orders)
            count = "SELECT count(DISTINCT event_id) FROM effects"
            last = time.time()
            moved = f"SELECT count(DISTINCT key) FROM effects WHERE at > to_timestamp({last})"
            await eventually(
                lambda: asked.fetchval(moved), lambda found: found == len(feed.keys), seconds=60
            )
            flow.cancel()
            await asyncio.gather(flow, return_exceptions=True)
            await feed.producer.flush()
            await eventually(
                lambda: asked.fetchval(count), lambda found: found >= len(feed.events), seconds=60
            )
        effects = await asked.fetch(
            "SELECT event_id, key, number, pid, at FROM effects ORDER BY seq"
        )
        letters = await asked.fetchval("SELECT count(*) FROM dead_letters")
    lost = feed.events - {row["event_id"] for row in effects}
    duplicates = len(effects) - len({row["event_id"] for row in effects})
    inversions = out_of_order(effects)
    took = sorted(recoveries(effects, kills, feed))
    n = len(feed.events)
    print(
        f"rebalance storm: {MEMBERS} members, {PARTITIONS} partitions, {KILLS} kills: N {n} "
        f"({feed.copies} copies), "
        f"lost {len(lost)}, duplicate effects {duplicates}, order inversions {inversions}, dead "
        f"letters {letters}; "
        f"at most {3 / n:.5f} at 95 %\n"
        f"recovery of {len(took)} partitions: p50 {took[len(took) // 2]:.1f} s, "
        f"p99 {took[int(len(took) * 0.99)]:.1f} s, longest {took[-1]:.1f} s"
    )
    assert (len(lost), duplicates, inversions, letters) == (0, 0, 0, 0)


async def flowing(feed: Feed) -> None:
    """A steady stream."""
    while True:
        await feed.send(RATE // 10)
        await asyncio.sleep(0.1)


def out_of_order(effects: list[asyncpg.Record]) -> int:
    """How often a key's number did not follow the one before."""
    last: dict[str, int] = {}
    wrong = 0
    for row in effects:
        wrong += row["number"] != last.get(row["key"], -1) + 1
        last[row["key"]] = row["number"]
    return wrong


def recoveries(effects: list[asyncpg.Record], kills: list[Kill], feed: Feed) -> list[float]:
    """For each partition that a victim had: seconds until somebody else applied something of it."""
    found = []
    history: dict[int, list[tuple[float, int]]] = {}
    for row in effects:
        history.setdefault(feed.partition(row["key"]), []).append(
            (row["at"].timestamp(), row["pid"])
        )
    for kill in kills:
        for of_partition in history.values():
            before = [pid for at, pid in of_partition if at <= kill.at]
            after = [at for at, pid in of_partition if at > kill.at and pid != kill.pid]
            if before and before[-1] == kill.pid and after:
                found.append(after[0] - kill.at)
    return found
