"""Whether deleting in batches keeps up beside inserts, where a key must be unique over five weeks.

    python -m tests.benchmarks.inbox_keys [millions of rows kept] [turnovers, 2 by default]

The table is filled to what is kept; then as many rows again come and go, `turnovers` times, with the sweeper's own
statement, batch and pause. The clock of the rows is theirs alone: so many rows make five weeks. Printed at each tenth
of a turnover: rows a second in and out, CPU time of the two backends a row, how long a batch takes, the sizes of the
table and of its indexes, and the autovacuums. Before the last turnover the table gets the settings of autovacuum that
are given as a third argument, if any ("autovacuum_vacuum_scale_factor=0.02,…").
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import psutil

from compose import migrate, roles
from compose.devstack.children import running
from compose.devstack.ports import free_ports
from compose.devstack.postgres import PostgresServer
from producers.webhooks.retention.store import EXPIRE_KEYS

KEPT = timedelta(days=35)
TENANTS, SOURCES = 1000, 3
BATCH_IN, BATCH_OUT, PAUSE_SECONDS, MOST_DUE = 500, 1000, 0.05, 20_000
# A delivery's identity is a hash: it comes to a place of its own in the index. Ids carry the time, as ours do.
INSERT = """
    INSERT INTO inbox_keys (tenant_id, source_id, key_hash, body_hash, request_id, event_id,
                            unsigned_id, seen_at)
    SELECT tenant, overlay(tenant::text PLACING source::text FROM 36)::uuid, key, sha256(key), id, id,
           false, at
    FROM (SELECT ('00000000-0000-7000-8000-' || lpad((n * 7919 % $3)::text, 12, '0'))::uuid AS tenant,
                 n % $4 AS source, sha256(int8send(n)) AS key, md5(n::text) AS noise,
                 $5::timestamptz + make_interval(secs => n * $6::float8) AS at
          FROM generate_series($1::bigint, $2 - 1) AS n) AS g,
         LATERAL (SELECT (left(headrace_first_id(at)::text, 19) || left(noise, 4) || '-'
                          || substr(noise, 5, 12))::uuid AS id) AS i
    ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
"""
SIZES = """
    SELECT pg_relation_size('inbox_keys') AS heap, pg_relation_size('inbox_keys_pkey') AS key,
           pg_relation_size('inbox_keys_seen') AS seen, n_dead_tup AS dead, autovacuum_count AS vacuums,
           coalesce(total_autovacuum_time, 0) / 1000 AS vacuum_seconds
    FROM pg_stat_user_tables WHERE relname = 'inbox_keys'
"""


def used(connection: asyncpg.Connection) -> float:
    """The CPU time of a connection's backend, in seconds."""
    times = psutil.Process(connection.get_server_pid()).cpu_times()
    return float(times.user + times.system)


@dataclass
class Run:
    """The table, the one who inserts and the one who deletes."""

    writer: asyncpg.Connection
    sweeper: asyncpg.Connection
    kept: int
    start: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    came: int = 0
    gone: int = 0
    in_seconds: list[float] = field(default_factory=list)
    out_seconds: list[float] = field(default_factory=list)

    @property
    def step(self) -> float:
        """The seconds from one row to the next, by the rows' clock."""
        return KEPT.total_seconds() / self.kept

    async def insert(self, rows: int) -> None:
        """One batch comes."""
        began = time.monotonic()
        await self.writer.execute(INSERT, self.came, self.came + rows, TENANTS, SOURCES, self.start, self.step)
        self.in_seconds.append(time.monotonic() - began)
        self.came += rows

    async def delete(self) -> None:
        """One batch goes, as the sweeper lets it go."""
        statement = EXPIRE_KEYS.text.replace(":before", "$1").replace(":limit", "$2")
        before = self.start + timedelta(seconds=(self.came - self.kept) * self.step)
        began = time.monotonic()
        done = await self.sweeper.execute(statement, before, BATCH_OUT)
        self.out_seconds.append(time.monotonic() - began)
        self.gone += int(done.split()[1])
        await asyncio.sleep(PAUSE_SECONDS)

    async def both(self, until: int) -> None:
        """Rows come until there were so many, and go beside."""
        over = asyncio.Event()

        async def going() -> None:
            while not over.is_set():
                if self.came - self.kept - self.gone >= BATCH_OUT:
                    await self.delete()
                else:
                    await asyncio.sleep(0.005)

        task = asyncio.create_task(going())
        while self.came < until:
            if self.came - self.kept - self.gone > MOST_DUE:
                await asyncio.sleep(0.005)
            else:
                await self.insert(BATCH_IN)
        over.set()
        await task

    async def measured(self, until: int) -> None:
        """Print what a part of the run took."""
        self.in_seconds, self.out_seconds = [], []
        came, gone, began = self.came, self.gone, time.monotonic()
        cpu = (used(self.writer), used(self.sweeper))
        await self.both(until)
        seconds, rows_in, rows_out = time.monotonic() - began, self.came - came, max(1, self.gone - gone)
        row = await self.writer.fetchrow(SIZES)
        assert row is not None
        megabytes = "  ".join(f"{name} {row[name] >> 20:5} MiB" for name in ("heap", "key", "seen"))
        print(
            f"{self.came / 1e6:5.1f} M came  in {rows_in / seconds:6.0f}/s"
            f" {(used(self.writer) - cpu[0]) / rows_in * 1e6:5.1f} us  {spread(self.in_seconds)}"
            f"  out {rows_out / seconds:6.0f}/s {(used(self.sweeper) - cpu[1]) / rows_out * 1e6:5.1f} us "
            f" {spread(self.out_seconds)}  {megabytes}  dead {row['dead'] / 1e6:4.2f} M "
            f" vacuums {row['vacuums']} in {row['vacuum_seconds']:.0f} s",
            flush=True,
        )


def spread(seconds: Sequence[float]) -> str:
    """The median and the 99th percentile of a batch's times."""
    if len(seconds) < 2:
        return "-"
    cuts = statistics.quantiles(seconds, n=100)
    return f"p50 {cuts[49] * 1000:4.0f} p99 {cuts[98] * 1000:4.0f} ms"


async def main(superuser: str, login: str, kept: int, turnovers: int, tuned: str) -> None:
    """Fill, turn over, print."""
    await roles.ensure(superuser, login)
    await asyncio.to_thread(migrate.upgrade, login)
    async with AsyncExitStack() as stack:
        connections = []
        for role in ("headrace_owner", "headrace_pipeline", "headrace_pipeline"):
            connections.append(await asyncpg.connect(login, server_settings={"role": role}))
            stack.push_async_callback(connections[-1].close)
        owner, writer, sweeper = connections
        run = Run(writer, sweeper, kept)
        await writer.execute("SET synchronous_commit = off")
        began = time.monotonic()
        while run.came < kept:
            await run.insert(5000)
        print(f"{kept / 1e6:g} million rows in {time.monotonic() - began:.0f} s", flush=True)
        await writer.execute("SET synchronous_commit = on")
        for turn in range(turnovers):
            if tuned and turn == turnovers - 1:
                await owner.execute(f"ALTER TABLE inbox_keys SET ({tuned})")
                print(f"with {tuned}", flush=True)
            for part in range(1, 11):
                await run.measured(kept * (1 + turn) + kept * part // 10)


if __name__ == "__main__":
    arguments = sys.argv[1:] + [""] * 3
    with tempfile.TemporaryDirectory(prefix="headrace-bench-", ignore_cleanup_errors=True) as directory:
        (port,) = free_ports(1)
        options = {"log_autovacuum_min_duration": "0", "max_wal_size": "4GB"}
        with running(PostgresServer(Path(directory) / "postgres", port, options)) as process:
            server = PostgresServer(Path(directory) / "postgres", port, options)
            address = f"postgresql://headrace:bench@127.0.0.1:{port}/headrace"
            rows = int(float(arguments[0] or 10) * 1e6)
            asyncio.run(main(server.url(), address, rows, int(arguments[1] or 2), arguments[2]))
