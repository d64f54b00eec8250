"""Append to the log inside somebody's transaction: the last step before its commit."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.log import LogEntry

# The order of the rows is the order of their seq. The outbox row makes the relay take it up.
APPEND = text("""
    WITH appended AS (
        INSERT INTO events (topic, key, value, headers, id, type, tenant_id, aggregate_id, version,
            correlation_id,
                            time, is_copy)
        SELECT topic, key, value, headers, id, type, tenant_id, aggregate_id, version,
            correlation_id, time, is_copy
        FROM unnest(CAST(:topic AS text[]), CAST(:key AS bytea[]), CAST(:value AS bytea[]),
                    CAST(:headers AS bytea[]), CAST(:id AS uuid[]), CAST(:type AS text[]),
                    CAST(:tenant AS uuid[]), CAST(:aggregate AS text[]), CAST(:version AS bigint[]),
                    CAST(:correlation AS uuid[]), CAST(:time AS timestamptz[]),
                        CAST(:is_copy AS boolean[]))
             WITH ORDINALITY
             AS given(topic, key, value, headers, id, type, tenant_id, aggregate_id, version,
                 correlation_id, time,
                      is_copy, place)
        ORDER BY place
        RETURNING seq, coalesce(octet_length(value), 0) + octet_length(headers) AS size_bytes
    )
    INSERT INTO outbox (seq, size_bytes) SELECT seq, size_bytes FROM appended
""")


async def append(tx: AsyncConnection, entries: Sequence[LogEntry]) -> None:
    """Write `entries` to the log and the outbox, in their order."""
    if not entries:
        return
    names = (
        "topic",
        "key",
        "value",
        "headers",
        "id",
        "type",
        "tenant",
        "aggregate",
        "version",
        "correlation",
        "time",
    )
    columns = {name: [getattr(entry, name) for entry in entries] for name in (*names, "is_copy")}
    await tx.execute(APPEND, columns)
