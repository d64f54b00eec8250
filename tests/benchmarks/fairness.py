"""How long a quiet tenant's webhooks take until ingest and billing have them: alone, and beside another's flood."""

import asyncio
import base64
import contextlib
import os
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
from pydantic import SecretStr

from compose.bootstrap import create_key
from compose.settings import Settings
from producers.webhooks.verification.standard_webhooks import sign
from tests.benchmarks import load, peers
from tests.chaos.live_stack import LiveStack, live_stack

SECONDS = float(os.environ.get("BENCH_SECONDS", "20"))
PER_SECOND = 5
FLOODS = [int(rate) for rate in os.environ.get("BENCH_FLOODS", "200,1000").split(",")]
CONSUMERS = ("ingest", "billing")
BODY = b'{"n": 1, "text": "' + b"x" * 900 + b'"}'
SECRET = "whsec_" + base64.b64encode(peers.KEY).decode()
UNLIMITED = {"HEADRACE_WEBHOOK_RATE_PER_SOURCE": "1000000", "HEADRACE_WEBHOOK_RATE_PER_TENANT": "1000000"}
DONE = "SELECT event_id, consumer FROM processed WHERE event_id = ANY($1) AND consumer = ANY($2)"


async def quiet(client: httpx.AsyncClient, path: str, postgres: str) -> dict[str, list[float]]:
    """Seconds from each 202's request until each consumer has committed; looked for every 5 ms."""
    sent: dict[uuid.UUID, float] = {}
    took: dict[str, list[float]] = {name: [] for name in CONSUMERS}
    connection = await asyncpg.connect(postgres, server_settings={"role": "headrace_pipeline"})
    open_pairs: set[tuple[uuid.UUID, str]] = set()

    async def send() -> None:
        for _ in range(int(SECONDS * PER_SECOND)):
            began = time.perf_counter()
            headers = sign(BODY, SECRET, message_id=uuid.uuid4().hex, now=datetime.now(UTC))
            answer = await client.post(path, content=BODY, headers={**headers, "content-type": "application/json"})
            event = uuid.UUID(answer.raise_for_status().json()["event_id"])
            sent[event] = began
            open_pairs.update((event, name) for name in CONSUMERS)
            await asyncio.sleep(max(0.0, 1 / PER_SECOND - (time.perf_counter() - began)))

    sending = asyncio.create_task(send())
    while open_pairs or not sending.done():
        rows = await connection.fetch(DONE, list({event for event, _ in open_pairs}), list(CONSUMERS))
        now = time.perf_counter()
        for row in rows:
            pair = (row["event_id"], row["consumer"])
            if pair in open_pairs:
                open_pairs.discard(pair)
                took[pair[1]].append(now - sent[pair[0]])
        await asyncio.sleep(0.005)
    await sending
    await connection.close()
    return took


async def flood(port: int, path: str, rate: int, stop: asyncio.Event) -> int:
    """So many webhooks a second, in a burst every second, until told to stop; how many they were."""
    count = 0
    while not stop.is_set():
        began = time.perf_counter()
        now = datetime.now(UTC)
        requests = [
            load.post("127.0.0.1", path, sign(BODY, SECRET, message_id=uuid.uuid4().hex, now=now), BODY)
            for _ in range(rate)
        ]
        count += (await load.run("127.0.0.1", port, requests, 16)).statuses[202]
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), max(0.001, 1 - (time.perf_counter() - began)))
    return count


def quantile(values: list[float], share: float) -> float:
    """In milliseconds."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] * 1e3


async def source(client: httpx.AsyncClient) -> str:
    """The path of a new source."""
    answer = await client.post("/v1/sources", json={"name": f"bench {uuid.uuid4().hex[:6]}", "secret": SECRET})
    return f"/hooks/{answer.raise_for_status().json()['id']}"


async def measure(stack: LiveStack) -> None:
    """Print both consumers' latencies, alone and beside each flood, and their ratio to alone."""
    settings = Settings(postgres_url=SecretStr(stack.postgres_url))
    _, key = await create_key(settings, f"quiet {uuid.uuid4().hex[:6]}", "bench")
    port = urlsplit(stack.status.api_url or "").port or 0
    alone: dict[str, tuple[float, float]] = {}
    async with (
        stack.client() as noisy,
        httpx.AsyncClient(base_url=str(noisy.base_url), timeout=60, trust_env=False,
                          headers={"Authorization": f"Bearer {key}"}) as client,
    ):  # fmt: skip
        mine, other = await source(client), await source(noisy)
        await quiet(client, mine, stack.postgres_url)  # warms up
        for rate in (0, *FLOODS):
            stop = asyncio.Event()
            flooding = asyncio.create_task(flood(port, other, rate, stop)) if rate else None
            began = time.perf_counter()
            took = await quiet(client, mine, stack.postgres_url)
            seconds = time.perf_counter() - began
            stop.set()
            reached = (await flooding) / seconds if flooding else 0
            for name, values in took.items():
                found = quantile(values, 0.5), quantile(values, 0.99)
                base = alone.setdefault(name, found)
                print(
                    f"beside {reached:5.0f}/s  {name:<8} p50 {found[0]:7.0f} ms ({found[0] / base[0]:5.1f} times alone)"
                    f"  p99 {found[1]:7.0f} ms ({found[1] / base[1]:5.1f} times)", flush=True,
                )  # fmt: skip


async def main() -> None:
    """On a stack of its own."""
    with tempfile.TemporaryDirectory() as directory, live_stack(Path(directory) / "data", **UNLIMITED) as stack:
        await measure(stack)


if __name__ == "__main__":
    asyncio.run(main())
