"""`make bench`: webhook accept beside the barest and the idiomatic app, the relay's drain, and
overload, in one run.
"""

import asyncio
import base64
import contextlib
import json
import os
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import uvloop
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from compose.devstack.ports import free_ports
from producers.webhooks.verification.standard_webhooks import sign
from tests.benchmarks import load, peers
from tests.chaos.live_stack import LiveStack, live_stack

REQUESTS = int(os.environ.get("BENCH_REQUESTS", "20000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
CONNECTIONS = 64
BODY = json.dumps({"type": "push", "data": {"text": "x" * 900, "n": 7}}).encode()
SECRET = "whsec_" + base64.b64encode(peers.KEY).decode()
UNLIMITED = {
    "HEADRACE_WEBHOOK_RATE_PER_SOURCE": "1000000",
    "HEADRACE_WEBHOOK_RATE_PER_TENANT": "1000000",
}


@dataclass(frozen=True)
class Target:
    """Something that takes webhooks."""

    name: str
    port: int
    path: str
    process: psutil.Process


@dataclass(frozen=True)
class Figures:
    """One measurement."""

    rate: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    rss_mib: float

    def line(self, name: str) -> str:
        """As printed."""
        return (
            f"{name:<42}{self.rate:9.0f}/s  {self.cpu_us:6.0f} us CPU  p50 {self.p50_ms:7.1f} ms  "
            f"p99 {self.p99_ms:7.1f} ms  {self.rss_mib:5.0f} MiB"
        )


def _requests(path: str, count: int) -> list[bytes]:
    now = datetime.now(UTC)
    run = uuid.uuid4().hex[:8]
    return [
        load.post("127.0.0.1", path, sign(BODY, SECRET, message_id=f"{run}-{n}", now=now), BODY)
        for n in range(count)
    ]


async def _measure(
    target: Target, count: int = REQUESTS, connections: int = CONNECTIONS
) -> Figures:
    requests = _requests(target.path, count)
    before = target.process.cpu_times()
    result = await load.run("127.0.0.1", target.port, requests, connections)
    after = target.process.cpu_times()
    if set(result.statuses) != {202}:
        raise RuntimeError(f"{target.name} answered {dict(result.statuses)}")
    cpu = (after.user + after.system - before.user - before.system) / count
    p50, p99 = (result.quantile(share) * 1e3 for share in (0.5, 0.99))
    return Figures(result.rate, cpu * 1e6, p50, p99, target.process.memory_info().rss / 2**20)


async def _drained(url: str) -> float:
    """How many a second the relay takes from the outbox until it is empty."""
    connection = await asyncpg.connect(url)
    loop = asyncio.get_running_loop()
    try:
        await connection.execute("SET ROLE headrace_pipeline")
        left = await connection.fetchval("SELECT count(*) FROM outbox")
        began = loop.time()
        while await connection.fetchval("SELECT EXISTS (SELECT FROM outbox)"):  # noqa: ASYNC110 - another's work
            await asyncio.sleep(0.02)
        return float(left / max(loop.time() - began, 1e-3))
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def _peer(name: str, kind: str, **environment: str) -> AsyncIterator[Target]:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "tests.benchmarks.peers", kind, str(port)]
    process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment})
    try:
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    break
        yield Target(name, port, "/hooks/x", psutil.Process(process.pid))
    finally:
        process.terminate()
        await process.wait()


async def _source(stack: LiveStack) -> str:
    async with stack.client() as client:
        answer = await client.post(
            "/v1/sources", json={"name": f"bench {uuid.uuid4().hex[:6]}", "secret": SECRET}
        )
        return str(answer.raise_for_status().json()["id"])


async def _compare(stack: LiveStack, ours: Target) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.kafka)
    await admin.start()
    await admin.create_topics([NewTopic("bench.idiomatic", 6, 1)])
    await admin.close()
    relay = psutil.Process(stack.pid("relay"))
    bare = _peer("barest ASGI: same HMAC, same statement", "bare", PEER_POSTGRES=stack.postgres_url)
    plain = _peer(
        "FastAPI + send_and_wait: stores nothing",
        "plain",
        PEER_KAFKA=stack.kafka,
        PEER_TOPIC="bench.idiomatic",
    )
    rates: dict[str, list[float]] = {}
    drains: list[float] = []
    async with bare as barest, plain as idiomatic:
        for number in range(ROUNDS + 1):
            for target in (ours, barest, idiomatic):
                relay.suspend()  # nobody else uses the machine while one is measured
                try:
                    figures = await _measure(target, REQUESTS if number else 2000)
                finally:
                    relay.resume()
                drained = await _drained(stack.postgres_url)
                if number:  # the first round warms up
                    print(figures.line(target.name), flush=True)
                    rates.setdefault(target.name, []).append(figures.rate)
                    if target is ours:
                        drains.append(drained)
    first, second, third = (sorted(one)[len(one) // 2] for one in rates.values())
    drain = sorted(drains)[len(drains) // 2]
    print(f"\nmedians of {ROUNDS} rounds\nours / barest     {first / second:5.2f}   aim 0.7")
    print(f"ours / idiomatic  {first / third:5.2f}   aim 1.6")
    print(f"drain / ours      {drain / first:5.2f}   aim 1.5   ({drain:.0f} a second)\n")


async def _overload(ours: Target) -> None:
    print("more and more connections, everything running: the rate stays, memory stays")
    for connections in (64, 256, 1024, 64):
        print(
            (await _measure(ours, REQUESTS, connections)).line(f"{connections} connections"),
            flush=True,
        )


async def main() -> None:
    """Start a stack of its own, measure the three in turn, print rates, CPU per request and
    ratios.
    """
    with (
        tempfile.TemporaryDirectory() as directory,
        live_stack(Path(directory) / "data", **UNLIMITED) as stack,
    ):
        port = urlsplit(stack.status.api_url or "").port
        if port is None:
            raise RuntimeError("the stack has no address")
        path = f"/hooks/{await _source(stack)}"
        ours = Target(
            "headrace: verified, stored once, 202", port, path, psutil.Process(stack.pid("api"))
        )
        print(
            f"{REQUESTS} signed webhooks of {len(BODY)} bytes, {CONNECTIONS} connections",
            flush=True,
        )
        await _compare(stack, ours)
        await _overload(ours)


if __name__ == "__main__":
    uvloop.run(main())
