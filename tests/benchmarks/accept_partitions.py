"""What partitions cost the accept: the same batches into two schemas by turns, in one run.

    python -m tests.benchmarks.accept_partitions [rounds]

`plain` has whole tables with the same indexes; `partitioned` is what is used, as many days as there are after five
weeks. Time is the CPU time of the backend, which other load of the machine hardly moves; the commit does not wait for
the disk, which would hide the difference.
"""

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

import asyncpg
import psutil

from compose import migrate, roles
from compose.devstack.children import running
from compose.devstack.ports import free_ports
from compose.devstack.postgres import PostgresServer
from producers.outbox.accept import ACCEPT, _row
from tests.integration.outbox.deliveries import Sender

BATCH, BATCHES = 200, 40
BODY = b'{"pad": "' + b"x" * 1000 + b'"}'
WHOLE = """
    CREATE TABLE whole (LIKE requests INCLUDING DEFAULTS);
    DROP TABLE requests;
    ALTER TABLE whole RENAME TO requests;
    SELECT headrace_protect('requests');
    ALTER TABLE requests ADD PRIMARY KEY (tenant_id, id);
    CREATE INDEX ON requests (tenant_id, received_at, id);
    CREATE INDEX ON requests (id) WHERE body_key IS NOT NULL
"""
DAYS = "SELECT headrace_add_partition('requests', current_date + n) FROM generate_series(-35, 7) AS n"
SCHEMAS = {"plain": WHOLE, "partitioned": DAYS}


async def prepared(superuser: str, login: str, name: str) -> asyncpg.Connection:
    """A database with one of the schemas, and the accept's connection to it."""
    url = login.rsplit("/", 1)[0] + f"/bench_{name}"
    await roles.ensure(superuser, url)
    await asyncio.to_thread(migrate.upgrade, url)
    owner = await asyncpg.connect(url, server_settings={"role": "headrace_owner"})
    await owner.execute(SCHEMAS[name])
    await owner.close()
    return await asyncpg.connect(url, server_settings={"role": "headrace_pipeline", "synchronous_commit": "off"})


def used(connection: asyncpg.Connection) -> float:
    """The CPU time that a connection's backend has used, in seconds."""
    times = psutil.Process(connection.get_server_pid()).cpu_times()
    return times.user + times.system


async def main(superuser: str, login: str, rounds: int) -> None:
    """Print the medians, and the ratios of each round's times."""
    connections = {name: await prepared(superuser, login, name) for name in SCHEMAS}
    times: dict[str, list[float]] = {name: [] for name in SCHEMAS}
    sender, number = Sender(), 0
    for turn in range(rounds + 1):
        batches = []
        for _ in range(BATCHES):
            batches.append([_row(sender.delivery(f"{number + one}", BODY)) for one in range(BATCH)])
            number += BATCH
        for name in list(SCHEMAS)[:: 1 if turn % 2 else -1]:
            began = used(connections[name])
            for batch in batches:
                await connections[name].fetch(ACCEPT, batch)
            if turn:  # the first warms up
                times[name].append(used(connections[name]) - began)
    for name, found in times.items():
        each = statistics.median(found) / (BATCH * BATCHES) * 1e6
        print(f"{name:12} {each:6.1f} us a request, median of {len(found)} rounds of {BATCH * BATCHES}")
    ratios = sorted(a / b for a, b in zip(times["partitioned"], times["plain"], strict=True))
    low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
    print(f"partitioned / plain: {statistics.median(ratios):.3f} (middle half {low:.3f} to {high:.3f})")
    for connection in connections.values():
        await connection.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="headrace-bench-", ignore_cleanup_errors=True) as directory:
        (port,) = free_ports(1)
        server = PostgresServer(Path(directory) / "postgres", port)
        with running(server):
            address = f"postgresql://headrace:bench@127.0.0.1:{port}/headrace"
            asyncio.run(main(server.url("postgres"), address, int(sys.argv[1]) if len(sys.argv) > 1 else 15))
