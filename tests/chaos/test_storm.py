"""Webhooks of every scheme in a storm: servers and processes die, connections are cut, duplicates
come at once.

It comes after the other tests of this stack, which know of every event that is there.
"""

import asyncio
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from pydantic import SecretStr

from compose.bootstrap import create_key
from compose.settings import Settings
from tests.chaos.conftest import LONG
from tests.chaos.live_stack import LiveStack
from tests.chaos.storm_checker import check
from tests.chaos.storm_evidence import found_after, quiet
from tests.chaos.storm_proxy import proxy
from tests.chaos.storm_report import report
from tests.chaos.storm_senders import SCHEMES, Source, Storm
from tests.chaos.storm_strikes import ALL, SHORT, kafka_away, schedule, strike

TENANTS = 3
WEBHOOKS = int(os.environ.get("HEADRACE_TEST_WEBHOOKS", "100000" if LONG else "3000"))
KAFKA_SECONDS = 60 * float(os.environ.get("HEADRACE_TEST_KAFKA_MINUTES", "2" if LONG else "0"))
SECONDS = KAFKA_SECONDS + (
    90 if LONG else 15
)  # the senders are held back to this, or all is sent before it hits
STRIKES = ALL * 3 if LONG else SHORT


@pytest.mark.xdist_group("chaos")
@pytest.mark.timeout(3600 if LONG else 600)
async def test_a_storm_loses_doubles_reorders_and_alters_nothing(
    stack: LiveStack, seed: int, tell: Callable[[str], None]
) -> None:
    dice = random.Random(seed)
    memory = psutil.Process().memory_info().rss
    sources = await _sources(stack, seed)
    storm = Storm(sources, seed, WEBHOOKS, WEBHOOKS / SECONDS)
    port = urlsplit(stack.status.api_url or "").port or 0
    struck: Counter[str] = Counter()
    print(f"\nseed {seed}: {WEBHOOKS} webhooks")
    async with (
        proxy("127.0.0.1", port, random.Random(seed)) as crooked,
        _told(storm),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(storm.run(lambda: port, lambda: crooked.own_port))
        await _strike_all(stack, storm, dice, struck)
        storm.enough.set()
    grown = psutil.Process().memory_info().rss - memory
    ids = [source.id for source in sources]
    quiet_seconds = await quiet(stack, ids, print, seconds=900 if LONG else 90)
    found = await found_after(stack, ids)
    violations = check(storm.sent, found)
    tell(report(storm, found, violations, struck, crooked.seen, quiet_seconds, grown))
    assert violations == []
    assert storm.surprises == []
    assert (
        storm.accepted > 0.5 * WEBHOOKS
    )  # the rest was cut: how much depends on how long the machine was struck
    assert crooked.seen["cut in mid-request"] > 0
    assert crooked.seen["cut in mid-answer"] > 0


async def _sources(stack: LiveStack, seed: int) -> list[Source]:
    """One of every scheme for each of some new tenants."""
    settings = Settings(postgres_url=SecretStr(stack.postgres_url))
    found = []
    for tenant in range(TENANTS):
        _, key = await create_key(settings, f"storm-{seed}-{tenant}", "test")
        async with httpx.AsyncClient(
            base_url=stack.status.api_url or "",
            headers={"Authorization": f"Bearer {key}"},
            trust_env=False,
        ) as client:
            for scheme, options in SCHEMES.items():
                asked = {"name": scheme, "scheme": scheme, "options": options}
                answer = await client.post("/v1/sources", json=asked)
                assert answer.status_code == 201, answer.text
                found.append(Source.of(answer.json()))
    return found


async def _strike_all(
    stack: LiveStack, storm: Storm, dice: random.Random, struck: Counter[str]
) -> None:
    """Each in its time; those of one victim one after the other."""
    victims: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def one(what: str) -> None:
        async with victims[what.split(maxsplit=1)[0]]:
            await strike(stack, what, dice)
        struck[what] += 1
        print(f"{storm.accepted}: {what}")

    async def no_kafka() -> None:
        await storm.reaches(WEBHOOKS // 10)
        async with kafka_away(stack):
            await asyncio.sleep(KAFKA_SECONDS)
        struck[f"kafka away for {KAFKA_SECONDS:.0f} s"] += 1

    async with asyncio.TaskGroup() as group:
        if KAFKA_SECONDS:
            group.create_task(no_kafka())
        for accepted, what in schedule(dice, WEBHOOKS, STRIKES):
            await storm.reaches(accepted)
            group.create_task(one(what))


@asynccontextmanager
async def _told(storm: Storm) -> AsyncIterator[None]:
    """Say from time to time how far it is."""

    async def saying() -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(5)
            print(
                f"{time.monotonic() - began:.0f} s: {storm.accepted} accepted, "
                f"{dict(storm.outcomes)}"
            )

    task = asyncio.create_task(saying())
    try:
        yield
    finally:
        task.cancel()
