"""Every statement of the sweeper goes by an index, whether little or nearly all is old."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from consumers.work import store as work
from producers.webhooks.retention import store as webhooks
from producers.webhooks.retention.store import bound
from tests.integration.sweeper.rows import Rows

AT = "headrace_clock() - make_interval(mins => n * 2)"  # six weeks
EACH = "FROM generate_series(1, 30000) AS n WHERE $1::uuid IS NOT NULL"
FILL = (
    (
        f"INSERT INTO inbox_keys SELECT $1::uuid, $1, int8send(n), int8send(n), $1, $1, false, {AT} "
        f"{EACH}"
    ),
    f"INSERT INTO processed SELECT headrace_first_id({AT}), 'c' {EACH}",
    f"""INSERT INTO work (tenant_id, id, queue, subject_id, payload, state, ready_at, deadline,
        cause_id,
                          correlation_id)
        SELECT $1, headrace_first_id({AT}), 'q', headrace_first_id({AT}), '{{}}', 'done', {AT},
            {AT}, $1, $1 {EACH}""",
    f"""INSERT INTO requests
        SELECT $1, headrace_first_id({AT}), $1, $1, NULL, '', '{{}}', 1, '', NULL, false,
            {AT} {EACH}""",
    f"INSERT INTO rejected_requests SELECT $1, headrace_first_id({AT}), $1, '', 1, '', {AT} {EACH}",
    f"""INSERT INTO dead_letters (tenant_id, id, consumer, event_id, topic, partition, "offset",
        headers, error_class,
                                  error, fingerprint, attempts, state)
        SELECT $1, headrace_first_id({AT}), 'c' || n % 5, headrace_first_id({AT}), 't', 0, n, '',
            '', '', '', 1,
               'parked' {EACH}""",
)
EXPIRE = {
    "inbox_keys": (webhooks.EXPIRE_KEYS.text, "timestamptz"),
    "processed_default": (
        webhooks.REST.format(table="processed", key="event_id", event="NULL::uuid"),
        "uuid",
    ),
    "rejected_requests": (webhooks.EXPIRE_REJECTED.text, "timestamptz"),
    "work": (work.EXPIRE.text, "timestamptz"),
    "requests_default": (
        webhooks.REST.format(table="requests", key="id", event=webhooks.EVENT["requests"]),
        "uuid",
    ),
    "requests": (webhooks.LARGE.format(name="requests_default"), "uuid"),
}
NEEDED = (
    "SELECT FROM dead_letters WHERE event_id = ANY($1::uuid[]) AND state NOT IN "
    "('discarded', 'applied')"
)


async def plan(rows: Rows, statement: str, *given: Any) -> str:
    return "\n".join(row[0] for row in await rows.db.fetch(f"EXPLAIN {statement}", *given))


async def expiry(rows: Rows, name: str, days: int) -> str:
    statement, kind = EXPIRE[name]
    before = await rows.now() - timedelta(days=days)
    asked = (
        statement.replace(":before", f"$1::{kind}")
        .replace(":limit", "1000")
        .replace(":after", f"'{UUID(int=0)}'")
    )
    return await plan(rows, asked, bound(before) if kind == "uuid" else before)


async def test_no_statement_reads_a_whole_table(rows: Rows) -> None:
    for statement in FILL:
        await rows.db.execute(statement, rows.tenant)
    await rows.db.execute(
        "ANALYZE inbox_keys, processed, work, requests, rejected_requests, dead_letters"
    )
    for days in (35, 1):  # a little is old; nearly all is, after a long stop
        for name in EXPIRE:
            found = await expiry(rows, name, days)
            assert "Index" in found, (name, days, found)
            assert "Seq Scan" not in found, (name, days, found)
    ids = [row[0] for row in await rows.db.fetch("SELECT event_id FROM dead_letters LIMIT 200")]
    assert "Seq Scan" not in await plan(rows, NEEDED, ids)
    await rows.db.execute("DROP INDEX inbox_keys_seen")
    assert "Seq Scan" in await expiry(rows, "inbox_keys", 35), "a wrong way would be seen"
