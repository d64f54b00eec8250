"""What the log's ranges and the days of `processed` cost the hot statements, in one run.

    python -m tests.benchmarks.hot_partitions [rounds] [ranges of the log]

`plain` has both as whole tables with the same indexes, as before; `partitioned` is what is used, with
so many ranges behind the log's end, four ahead, and the days of five weeks. The same batches go into both
by turns: the door's statement, the relay's two, a consumer's claim. Time is the CPU time of the backend,
which other load of the machine hardly moves; the commit does not wait for the disk, which would hide the
difference.
"""

import asyncio
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import asyncpg

from compose import migrate, roles
from compose.devstack.children import running
from compose.devstack.ports import free_ports
from compose.devstack.postgres import PostgresServer
from producers.outbox.accept import ACCEPT, _row
from producers.outbox.relay import LOWEST
from tests.factories import new_id
from tests.integration.outbox.deliveries import Sender

BATCH, BATCHES = 200, 20
BODY = b'{"pad": "' + b"x" * 1000 + b'"}'
CLAIM = """
    INSERT INTO processed (event_id, consumer) SELECT id, 'ingest' FROM unnest($1::uuid[]) AS given(id)
    ORDER BY id ON CONFLICT DO NOTHING RETURNING event_id
"""
STRIKE = "DELETE FROM outbox WHERE seq = ANY($1::bigint[])"
WHOLE = """
    CREATE TABLE whole (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
    DROP TABLE events;
    ALTER TABLE whole RENAME TO events;
    ALTER TABLE events ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (START WITH {start});
    ALTER TABLE events ADD PRIMARY KEY (seq);
    CREATE INDEX ON events (tenant_id, seq);
    CREATE INDEX ON events (tenant_id, aggregate_id, seq);
    CREATE INDEX ON events (tenant_id, correlation_id);
    SELECT headrace_protect('events');
    CREATE TABLE whole (LIKE processed);
    DROP TABLE processed;
    ALTER TABLE whole RENAME TO processed;
    ALTER TABLE processed ADD PRIMARY KEY (event_id, consumer);
    GRANT SELECT, INSERT ON processed TO headrace_pipeline;
"""
# The log's end lies in the last range but four.
RANGES = """
    ALTER SEQUENCE events_seq_seq RESTART WITH {start};
    SELECT headrace_add_range('events', n * 8000000, (n + 1) * 8000000)
        FROM generate_series(2, {ranges} + 4) AS n;
    SELECT headrace_add_partition('processed', current_date + n) FROM generate_series(-35, 7) AS n;
"""
SCHEMAS = {"plain": WHOLE, "partitioned": RANGES}


async def prepared(superuser: str, login: str, name: str, ranges: int) -> asyncpg.Connection:
    """A database with one of the schemas, and the pipeline's connection to it."""
    url = login.rsplit("/", 1)[0] + f"/bench_{name}"
    await roles.ensure(superuser, url)
    await asyncio.to_thread(migrate.upgrade, url)
    owner = await asyncpg.connect(url, server_settings={"role": "headrace_owner"})
    await owner.execute(SCHEMAS[name].format(ranges=ranges, start=ranges * 8_000_000 + 1))
    await owner.close()
    return await asyncpg.connect(url, server_settings={"role": "headrace_pipeline", "synchronous_commit": "off"})


def used(connection: asyncpg.Connection) -> float:
    """The CPU time that a connection's backend has used, in seconds; Linux has it by the nanosecond."""
    return int(Path(f"/proc/{connection.get_server_pid()}/schedstat").read_text().split()[0]) / 1e9


async def turn(connection: asyncpg.Connection, batches: list[list[tuple[object, ...]]]) -> dict[str, float]:
    """The CPU time of each statement over all batches."""
    began = used(connection)
    for batch in batches:
        await connection.fetch(ACCEPT, batch)
    accepted = used(connection)
    rows = 1
    while rows:
        found = await connection.fetch(LOWEST, 2000, 8 << 20)
        await connection.execute(STRIKE, [row["seq"] for row in found])
        rows = len(found)
    relayed = used(connection)
    for _ in batches:
        await connection.fetch(CLAIM, [new_id() for _ in range(BATCH)])
    claimed = used(connection)
    return {"accept": accepted - began, "relay": relayed - accepted, "claim": claimed - relayed}


async def main(superuser: str, login: str, rounds: int, ranges: int) -> None:
    """Print the medians, and the ratios of each round's times."""
    connections = {name: await prepared(superuser, login, name, ranges) for name in SCHEMAS}
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    sender, number = Sender(), 0
    for place in range(rounds + 1):
        batches = []
        for _ in range(BATCHES):
            batches.append([_row(sender.delivery(f"{number + one}", BODY)) for one in range(BATCH)])
            number += BATCH
        for name in list(SCHEMAS)[:: 1 if place % 2 else -1]:
            taken = await turn(connections[name], batches)
            if place:  # the first warms up
                for statement, seconds in taken.items():
                    times[statement, name].append(seconds)
    for statement in ("accept", "relay", "claim"):
        plain, parted = times[statement, "plain"], times[statement, "partitioned"]
        ratios = sorted(a / b for a, b in zip(parted, plain, strict=True))
        low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
        each = [statistics.median(found) / (BATCH * BATCHES) * 1e6 for found in (plain, parted)]
        print(
            f"{statement:7} {each[0]:6.1f} us a row, {each[1]:6.1f} with {ranges} ranges: "
            f"{sum(parted) / sum(plain):.3f} in all, median {statistics.median(ratios):.3f}"
            f" (middle half {low:.3f} to {high:.3f})"
        )
    for connection in connections.values():
        await connection.close()


if __name__ == "__main__":
    arguments = [int(one) for one in sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="headrace-bench-", ignore_cleanup_errors=True) as directory:
        (port,) = free_ports(1)
        server = PostgresServer(Path(directory) / "postgres", port)
        with running(server):
            address = f"postgresql://headrace:bench@127.0.0.1:{port}/headrace"
            asyncio.run(main(server.url(), address, *(arguments + [20, 4][len(arguments) :])))
