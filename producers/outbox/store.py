"""Read the log: of one aggregate before any projection has caught up, and of one tenant from its
beginning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

OF_AGGREGATE = text("""
    SELECT seq, value, headers FROM events
    WHERE tenant_id = :tenant AND aggregate_id = :aggregate AND topic = :topic AND NOT is_copy
    ORDER BY seq
""")
ANY_OF_AGGREGATE = text("""
    SELECT EXISTS (SELECT FROM events WHERE tenant_id = :tenant AND aggregate_id = :aggregate
        AND topic = :topic)
""")
# Every INSERT locks the table in this mode before it takes a seq; our database's only, and whoever
# it is.
WRITERS = text("""
    SELECT virtualtransaction FROM pg_locks
    WHERE relation = 'events'::regclass AND mode = 'RowExclusiveLock' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")
NEWEST = text("SELECT coalesce(max(seq), 0) FROM events")
TENANTS = text(
    "SELECT DISTINCT tenant_id FROM events WHERE seq > :after AND seq <= :until AND NOT is_copy"
)
VALUES = text("""
    SELECT seq, value FROM (
        SELECT seq, value, sum(octet_length(value)) OVER (ORDER BY place) - octet_length(value) AS
            before
        FROM unnest(CAST(:seqs AS bigint[])) WITH ORDINALITY AS wanted(seq, place)
            JOIN events USING (seq)
    ) AS sized
    WHERE before < :bytes ORDER BY array_position(CAST(:seqs AS bigint[]), seq)
""")
# A filter that matches little must not read a whole log in one request: a page may be short and say
# "go on".
MOST_SCANNED = 5000
MOST_BYTES = 4 << 20
FINDS = {
    "source": "topic = 'headrace.webhooks' AND aggregate_id = :source",
    "correlation": "correlation_id = :correlation",
}
SIFTS = {
    "topic": "topic = :topic",
    "type": "type = :type",
    "from": "time >= :from",
    "to": "time < :to",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of one tenant's log: after `after` up to `until` (or backwards from `until`), what
    the filters let by.
    """

    tenant: UUID
    after: int
    until: int
    limit: int
    newest_first: bool = False
    filters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """Values as Kafka has them; `reached` is the seq to go on from, `more` whether there was
    more already.
    """

    values: Sequence[bytes]
    reached: int
    more: bool


FIRST_OF_CHAIN = text("""
    SELECT seq, key, value, headers FROM events
    WHERE tenant_id = :tenant AND correlation_id = :event AND id = :event AND topic = :topic
        AND NOT is_copy
    ORDER BY seq LIMIT 1
""")


async def first_of_chain(
    tx: AsyncConnection, tenant: UUID, topic: str, event_id: UUID
) -> Row[Any] | None:
    """The event that began a chain, by its id."""
    given = {"tenant": tenant, "event": event_id, "topic": topic}
    return (await tx.execute(FIRST_OF_CHAIN, given)).one_or_none()


async def of_aggregate(
    tx: AsyncConnection, tenant: UUID, topic: str, aggregate: UUID
) -> Sequence[Row[Any]]:
    """Every event of one aggregate, oldest first."""
    given = {"tenant": tenant, "aggregate": str(aggregate), "topic": topic}
    return (await tx.execute(OF_AGGREGATE, given)).all()


async def has_any(tx: AsyncConnection, tenant: UUID, topic: str, aggregate: UUID) -> bool:
    """Whether anything was ever said of an aggregate."""
    given = {"tenant": tenant, "aggregate": str(aggregate), "topic": topic}
    return bool((await tx.execute(ANY_OF_AGGREGATE, given)).scalar_one())


async def newest_seq(tx: AsyncConnection) -> int:
    """The highest committed seq; lower ones may still come."""
    return int((await tx.execute(NEWEST)).scalar_one())


async def writers(tx: AsyncConnection) -> frozenset[str]:
    """The transactions that are inserting into the log; each name is used once."""
    return frozenset((await tx.execute(WRITERS)).scalars())


async def tenants_between(tx: AsyncConnection, after: int, until: int) -> list[UUID]:
    """Whose events stand between two seqs."""
    return list((await tx.execute(TENANTS, {"after": after, "until": until})).scalars())


async def page(tx: AsyncConnection, asked: Asked) -> Page:
    """One page; `asked.until` must be settled, or what commits late is passed by."""
    scan = MOST_SCANNED if asked.filters.keys() & SIFTS.keys() else asked.limit + 1
    given = {
        "tenant": asked.tenant,
        "after": asked.after,
        "until": asked.until,
        "scan": scan,
        "limit": asked.limit + 1,
    }
    found = (await tx.execute(_scan(asked), {**given, **asked.filters})).one()
    seqs = found.seqs[: asked.limit]
    rows = (await tx.execute(VALUES, {"seqs": seqs, "bytes": MOST_BYTES})).all()
    if len(found.seqs) > len(rows):
        return Page([row.value for row in rows], rows[-1].seq, more=True)
    end = asked.after if asked.newest_first else asked.until
    whole = found.scanned < scan
    return Page([row.value for row in rows], end if whole else found.last, more=not whole)


def _scan(asked: Asked) -> Any:
    finds = "".join(
        f" AND {condition}" for name, condition in FINDS.items() if name in asked.filters
    )
    sifts = (
        " AND ".join(condition for name, condition in SIFTS.items() if name in asked.filters)
        or "true"
    )
    way, last = ("DESC", "min") if asked.newest_first else ("ASC", "max")
    return text(f"""
        WITH scanned AS MATERIALIZED (
            SELECT seq, topic, type, time FROM events
            WHERE tenant_id = :tenant AND seq > :after AND seq <= :until AND NOT is_copy
                AND value IS NOT NULL{finds}
            ORDER BY seq {way} LIMIT :scan
        )
        SELECT ARRAY(SELECT seq FROM scanned WHERE {sifts} ORDER BY seq {way} LIMIT :limit) AS seqs,
               (SELECT count(*) FROM scanned) AS scanned, (SELECT {last}(seq) FROM scanned) AS last
    """)
