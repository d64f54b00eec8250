"""How many bytes a webhook, a job and a tenant leave in Postgres, in its WAL and in Kafka.

    python -m tests.benchmarks.sizing [webhooks, 20000] [jobs, 10] [tenants, 20]

On a stack of its own: so many webhooks of exactly 1 KiB to a source that only forwards, then so
many trainings of a small dataset, then so many tenants with a key and a source each. Everything is
consumed and projected before it is counted. Webhooks are counted by the pages of tables and
indexes; jobs and tenants, which are few, by their rows. WAL is shown with and without the images of
whole pages that follow a checkpoint.
"""

import asyncio
import base64
import sys
import tempfile
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
from pydantic import SecretStr

from compose.bootstrap import create_key
from compose.settings import Settings
from producers.webhooks.verification.standard_webhooks import sign
from tests.benchmarks import load, peers
from tests.chaos.live_stack import LiveStack, live_stack
from tests.eventually import eventually
from tests.factories import shipped_csv

SECRET = "whsec_" + base64.b64encode(peers.KEY).decode()
BODY = b'{"type": "push", "text": "'
BODY += b"".join(b"%06d " % number for number in range(200))[: 1024 - len(BODY) - 2] + b'"}'
UNLIMITED = {
    "HEADRACE_WEBHOOK_RATE_PER_SOURCE": "1000000",
    "HEADRACE_WEBHOOK_RATE_PER_TENANT": "1000000",
}
# Partitions count as their table; TOAST counts as the table's own.
PAGES = """
    SELECT coalesce(i.inhparent, c.oid)::regclass::text AS table,
           sum(pg_table_size(c.oid))::bigint AS heap, sum(pg_indexes_size(c.oid))::bigint AS indexes
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1
"""
INDEXES = """
    SELECT regexp_replace(x.indexrelid::regclass::text, '_(from_[0-9]+|p[0-9]{8}|default|tail)_',
        '_') AS table,
           sum(pg_relation_size(x.indexrelid))::bigint AS bytes
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1
"""
TABLES = """
    SELECT c.oid::regclass::text FROM pg_class c
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND c.relnamespace = 'public'::regnamespace
"""
WAL = (
    "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint AS bytes, (SELECT wal_fpi FROM "
    "pg_stat_wal) AS images"
)
BUSY = """
    SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM work
        WHERE state <> 'done') AS waiting,
           (SELECT count(*) FROM processed) + (SELECT coalesce(sum(next), 0)::bigint FROM positions)
           + (SELECT coalesce(max(seq), 0) FROM events) AS moved
"""


@dataclass(frozen=True)
class Measured:
    """What there is at one moment, in bytes."""

    heap: dict[str, int]
    indexes: dict[str, int]
    index: dict[str, int]
    rows: dict[str, tuple[int, ...]]
    wal: int
    images: int
    kafka: int


async def row_of(db: asyncpg.Connection, query: str) -> tuple[int, ...]:
    """The numbers in the only row of an answer."""
    (row,) = await db.fetch(query)
    return tuple(row)


async def measured(db: asyncpg.Connection, stack: LiveStack) -> Measured:
    """Counted when nothing moves any more."""
    last: tuple[int, ...] = ()

    async def at_rest() -> bool:
        nonlocal last
        await asyncio.sleep(1.5)
        before, last = last, await row_of(db, BUSY)
        return last == before and last[0] == 0

    await eventually(at_rest, seconds=600)
    pages = await db.fetch(PAGES)
    rows: dict[str, tuple[int, ...]] = {}
    for (table,) in await db.fetch(TABLES):
        query = (
            f"SELECT count(*), coalesce(sum(pg_column_size(t.*) + 4), 0)::bigint FROM {table} AS t"
        )
        rows[table] = await row_of(db, query)
    wal, images = await row_of(db, WAL)
    return Measured(
        {row["table"]: row["heap"] for row in pages},
        {row["table"]: row["indexes"] for row in pages},
        {row["table"]: row["bytes"] for row in await db.fetch(INDEXES)},
        rows,
        wal,
        images,
        sum(
            path.stat().st_size
            for path in (stack.data_dir / "kafka").rglob("*.log")
            if path.is_file()
        ),
    )


def by_pages(before: Measured, after: Measured, count: int) -> None:
    """Print what one of `count` has left in each table and index."""
    print(f"{'':<34}{'rows':>7}{'table':>9}{'indexes':>9}   bytes each")
    total = [0.0, 0.0]
    for table in sorted(after.heap, key=lambda one: before.heap[one] - after.heap[one]):
        heap = (after.heap[table] - before.heap[table]) / count
        index = (after.indexes[table] - before.indexes[table]) / count
        rows = (after.rows[table][0] - before.rows[table][0]) / count
        total = [total[0] + heap, total[1] + index]
        if heap + index >= 1:
            print(f"{table:<34}{rows:>7.2f}{heap:>9.0f}{index:>9.0f}")
    print(f"{'in all':<34}{'':>7}{total[0]:>9.0f}{total[1]:>9.0f}   together {sum(total):.0f}")
    for name in sorted(after.index, key=lambda one: before.index[one] - after.index[one]):
        grown = (after.index[name] - before.index[name]) / count
        if grown >= 1:
            print(f"  {name:<32}{'':>16}{grown:>9.0f}")
    the_rest(before, after, count)


def by_rows(before: Measured, after: Measured, count: int) -> None:
    """The same by rows, where there are few."""
    print(f"{'':<34}{'rows':>7}{'bytes':>9}")
    total = 0.0
    for table, counted in after.rows.items():
        more, grown = ((a - b) / count for a, b in zip(counted, before.rows[table], strict=True))
        total += grown
        if grown >= 1:
            print(f"{table:<34}{more:>7.1f}{grown:>9.0f}")
    print(f"{'in all, without indexes':<34}{'':>7}{total:>9.0f}")
    the_rest(before, after, count)


def the_rest(before: Measured, after: Measured, count: int) -> None:
    """WAL and Kafka."""
    images = (after.images - before.images) * 8192 / count
    wal = (after.wal - before.wal) / count
    kafka = (after.kafka - before.kafka) / count
    print(
        f"WAL {wal:.0f}, of which images of whole pages at most {images:.0f}; Kafka {kafka:.0f}\n"
    )


async def webhooks(stack: LiveStack, client: httpx.AsyncClient, count: int) -> None:
    """So many webhooks that are only kept and counted."""
    answer = await client.post(
        "/v1/sources", json={"name": f"sizing {uuid.uuid4().hex[:6]}", "secret": SECRET}
    )
    path = f"/hooks/{answer.raise_for_status().json()['id']}"
    port = urlsplit(stack.status.api_url or "").port
    now = datetime.now(UTC)
    signed = [
        (sign(BODY, SECRET, message_id=uuid.uuid4().hex, now=now), BODY) for _ in range(count)
    ]
    requests = [load.post("127.0.0.1", path, headers, body) for headers, body in signed]
    result = await load.run("127.0.0.1", port or 0, requests, 32)
    if set(result.statuses) != {202}:
        raise RuntimeError(f"answered {dict(result.statuses)}")


async def jobs(client: httpx.AsyncClient, dataset: str, count: int) -> None:
    """So many trainings, to their ends."""
    for number in range(count):
        body = {
            "kind": "train",
            "dataset_id": dataset,
            "target": "target",
            "model": f"sizing-{number % 2}",
        }
        made = (await client.post("/v1/jobs", json=body)).raise_for_status().json()["id"]
        await eventually(
            partial(state_of, client, str(made)), lambda state: state == "succeeded", seconds=300
        )


async def state_of(client: httpx.AsyncClient, job: str) -> Any:
    return (await client.get(f"/v1/jobs/{job}")).json().get("state")


async def uploaded(client: httpx.AsyncClient) -> str:
    """A small dataset, validated."""
    answer = await client.post(
        "/v1/datasets",
        params={"name": "wine"},
        content=shipped_csv("wine"),
        headers={"content-type": "text/csv"},
    )
    made = str(answer.raise_for_status().json()["id"])

    async def valid() -> bool:
        return bool((await client.get(f"/v1/datasets/{made}")).json()["state"] == "validated")

    await eventually(valid, seconds=120)
    return made


async def tenants(stack: LiveStack, count: int) -> None:
    """So many tenants, with a key and a source."""
    settings = Settings(postgres_url=SecretStr(stack.postgres_url))
    for number in range(count):
        _, key = await create_key(settings, f"sizing {number}", "key")
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(
            base_url=stack.status.api_url or "", headers=headers, trust_env=False
        ) as client:
            await client.post("/v1/sources", json={"name": "ci", "secret": SECRET})


async def main(n_webhooks: int, n_jobs: int, n_tenants: int) -> None:
    """Measure, do, measure."""
    with (
        tempfile.TemporaryDirectory(
            prefix="headrace-sizing-", ignore_cleanup_errors=True
        ) as directory,
        live_stack(Path(directory) / "data", **UNLIMITED) as stack,
    ):
        db = await asyncpg.connect(stack.postgres_url, server_settings={"role": "headrace_owner"})
        async with stack.client() as client:
            await webhooks(stack, client, 200)
            dataset = await uploaded(client)
            await jobs(client, dataset, 1)
            start = await measured(db, stack)
            await webhooks(stack, client, n_webhooks)
            received = await measured(db, stack)
            print(f"a webhook of {len(BODY)} bytes, of {n_webhooks}", flush=True)
            by_pages(start, received, n_webhooks)
            await jobs(client, dataset, n_jobs)
            trained = await measured(db, stack)
            print(f"a training, of {n_jobs}", flush=True)
            by_rows(received, trained, n_jobs)
            await tenants(stack, n_tenants)
            print(f"a tenant with a key and a source, of {n_tenants}", flush=True)
            by_rows(trained, await measured(db, stack), n_tenants)
        await db.close()


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    asyncio.run(main(*(given + [20_000, 10, 20][len(given) :])))
