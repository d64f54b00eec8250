"""The final state: Postgres' tables and Kafka's topics, read from the beginning."""

import asyncio
import time
from typing import Any, Protocol

import asyncpg

from schemas.topics import JOBS, WEBHOOKS
from tests.acceptance.topics import records
from tests.chaos.checker import Bill, Final, Seen, Told, Violation, check


class Servers(Protocol):
    """Where the evidence is."""

    @property
    def postgres_url(self) -> str:
        """The login's URL of the database."""

    @property
    def kafka(self) -> str:
        """Bootstrap servers."""

    @property
    def topic_prefix(self) -> str:
        """What stands before every topic's name."""


ENDS = ("job.succeeded", "job.failed", "job.canceled", "job.expired")
LIVE = "generation = (SELECT live FROM projection_heads WHERE view = '{}')"
QUERIES = {
    "log": "SELECT aggregate_id, id::text FROM events WHERE topic = 'headrace.webhooks' AND NOT "
    "is_copy ORDER BY seq",
    "ends": f"SELECT aggregate_id FROM events WHERE type IN {ENDS}",
    "jobs": "SELECT id::text, state, aggregate_version FROM jobs",
    "bills": "SELECT meter, subject, quantity, event_ids::text[] FROM usage_records",
    "shown_jobs": f"SELECT id::text, state, version FROM read_jobs WHERE {LIVE.format('jobs')}",
    "shown_usage": f"SELECT meter, sum(value) FROM read_usage_days WHERE {LIVE.format('usage')} "
    "GROUP BY meter",
    "models": "SELECT job_id::text, key, value::float8 FROM model_versions, jsonb_each(metrics)",
    "shown_models": "SELECT job_id::text, metric, value FROM read_metric_points WHERE "
    f"{LIVE.format('metric_trends')}",
    "outbox": "SELECT count(*) FROM outbox",
    "dead_letters": "SELECT consumer, error_class, error FROM dead_letters",
}


async def ask(stack: Servers, query: str, *given: Any) -> list[asyncpg.Record]:
    """Rows, on a connection of its own: the database may have died since the last question."""
    connection = await asyncpg.connect(
        stack.postgres_url,
        server_settings={"role": "headrace_pipeline"},
        timeout=5,
        command_timeout=120,
    )
    try:
        return list(await connection.fetch(query, *given))
    finally:
        await connection.close(timeout=5)


async def tables(stack: Servers) -> Final:
    """The state as Postgres has it; the log stands in for the topics."""
    rows = {
        name: [tuple(row) for row in await ask(stack, query)] for name, query in QUERIES.items()
    }
    log = [Seen(*row) for row in rows["log"]]
    return Final(
        topic=log,
        log=log,
        jobs={job: (state, version) for job, state, version in rows["jobs"]},
        ends=[job for (job,) in rows["ends"]],
        bills=[
            Bill(meter, subject, amount, tuple(ids))
            for meter, subject, amount, ids in rows["bills"]
        ],
        shown_jobs={job: (state, version) for job, state, version in rows["shown_jobs"]},
        shown_usage=dict(rows["shown_usage"]),
        models=rows["models"],
        shown_models=rows["shown_models"],
        outbox=rows["outbox"][0][0],
        dead_letters=[
            f"{consumer}: {kind}: {error}"[:300] for consumer, kind, error in rows["dead_letters"]
        ],
    )


async def final_state(stack: Servers) -> Final:
    """Everything, the topics included."""
    state = await tables(stack)
    webhooks = [
        Seen(one["subject"], one["id"])
        for one in await records(stack.kafka, WEBHOOKS, stack.topic_prefix)
    ]
    ends = {
        one["id"]: one["subject"]
        for one in await records(stack.kafka, JOBS, stack.topic_prefix)
        if one["type"] in ENDS
    }
    return Final(**{**vars(state), "topic": webhooks, "ends": list(ends.values())})


async def settled(stack: Servers, told: Told, seconds: float) -> tuple[float, list[Violation]]:
    """Wait until the tables keep every promise.

    The seconds that it took, and what is still broken at the deadline.
    """
    began = time.monotonic()
    while True:
        found = check(told, await tables(stack))
        took = time.monotonic() - began
        if not found or took > seconds:
            return took, found
        await asyncio.sleep(0.3)
