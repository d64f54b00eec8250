"""Rows of requests: accepted, repeated and rejected deliveries."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from producers.webhooks.tables import requests

# `place` tells two deliveries of one moment apart; each branch reads no more than the page needs.
BRANCHES = {
    "accepted": """
        SELECT id, source_id, 'accepted' AS outcome, NULL AS reason, event_id, external_id,
            content_type, size_bytes,
               possible_replay, NULL::boolean AS same_body, received_at, id AS place
        FROM requests WHERE true""",
    "duplicate": """
        SELECT * FROM (
            SELECT r.id, r.source_id, 'duplicate', NULL, r.event_id, r.external_id, r.content_type,
                r.size_bytes,
                   r.possible_replay, d.same_body, d.received_at, d.id AS place
            FROM request_repeats d JOIN requests r ON r.tenant_id = d.tenant_id
                AND r.id = d.request_id
        ) AS repeats WHERE true""",
    "rejected": """
        SELECT id, source_id, 'rejected', reason, NULL, NULL, content_type, size_bytes, false, NULL,
            received_at, id
        FROM rejected_requests WHERE true""",
}
FILTERS = {
    "source": "source_id = :source",
    "from": "received_at >= :from",
    "to": "received_at < :to",
}
# The log knows an event's chain, and a webhook begins one: its own id is the chain's.
BODY_OF_EVENT = text("""
    SELECT value FROM events
    WHERE tenant_id = :tenant AND correlation_id = :event AND id = :event AND NOT is_copy LIMIT 1
""")

MATCHING = text("""
    SELECT r.id, r.event_id, NULL AS reason, r.received_at FROM requests r
    WHERE (CAST(:ids AS uuid[]) IS NULL OR r.id = ANY(:ids)) AND (CAST(:source AS uuid) IS NULL
        OR source_id = :source)
      AND (CAST(:since AS timestamptz) IS NULL OR received_at >= :since)
      AND (CAST(:until AS timestamptz) IS NULL OR received_at < :until)
      AND (coalesce(CAST(:outcome AS text), 'accepted') = 'accepted' OR (:outcome = 'duplicate'
          AND EXISTS (
          SELECT FROM request_repeats d WHERE d.tenant_id = r.tenant_id AND d.request_id = r.id)))
    UNION ALL
    SELECT id, NULL, reason, received_at FROM rejected_requests
    WHERE (CAST(:ids AS uuid[]) IS NULL OR id = ANY(:ids)) AND (CAST(:source AS uuid) IS NULL
        OR source_id = :source)
      AND (CAST(:since AS timestamptz) IS NULL OR received_at >= :since)
      AND (CAST(:until AS timestamptz) IS NULL OR received_at < :until)
      AND (CAST(:outcome AS text) = 'rejected' OR (CAST(:outcome AS text) IS NULL
          AND CAST(:ids AS uuid[]) IS NOT NULL))
    ORDER BY received_at, id LIMIT :limit
""")


async def matching(tx: AsyncConnection, given: dict[str, Any]) -> Sequence[RowMapping]:
    """Requests of the tenant, the oldest first, each once; given are `ids`, `source`, `outcome`,
    `since`, `until` and `limit`. Those that were rejected have a reason and no event; without an
    outcome they are meant by their ids only.
    """
    return (await tx.execute(MATCHING, given)).mappings().all()


async def deliveries(
    tx: AsyncConnection,
    filters: Mapping[str, Any],
    outcome: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[RowMapping]:
    """The tenant's deliveries, newest first, those before (time, place).

    Filters are `source`, `from` and `to`.
    """
    given: dict[str, Any] = {**filters, "limit": limit}
    conditions = "".join(f" AND {FILTERS[name]}" for name in filters)
    order = "ORDER BY received_at DESC, place DESC LIMIT :limit"
    chosen = BRANCHES if outcome is None else {outcome: BRANCHES[outcome]}
    if before is not None:
        given |= {"at": before[0], "place": before[1]}
    parts = []
    for name, branch in chosen.items():
        place = "place" if name == "duplicate" else "id"
        past = "" if before is None else f" AND (received_at, {place}) < (:at, :place)"
        parts.append(
            f"({branch}{conditions}{past} ORDER BY received_at DESC, {place} DESC LIMIT :limit)"
        )
    # The first branch gives the columns their names; an empty one replaces it where it is not
    # asked for.
    head = f"({BRANCHES['accepted']} AND false)"
    query = text(f"SELECT * FROM ({' UNION ALL '.join([head, *parts])}) AS deliveries {order}")
    return (await tx.execute(query, given)).mappings().all()


async def kept_in_log(tx: AsyncConnection, tenant: UUID, event_id: UUID) -> bytes | None:
    """The record of a webhook; None when the log does not have it any more."""
    value = (
        await tx.execute(BODY_OF_EVENT, {"tenant": tenant, "event": event_id})
    ).scalar_one_or_none()
    return None if value is None else bytes(value)


async def one(tx: AsyncConnection, request_id: UUID) -> RowMapping | None:
    """One accepted request of the tenant."""
    return (
        (await tx.execute(select(requests).where(requests.c.id == request_id)))
        .mappings()
        .one_or_none()
    )


async def body_key_of(tx: AsyncConnection, tenant: UUID, request_id: UUID) -> str | None:
    """Where the body of a request is kept that was too large for a record."""
    query = select(requests.c.body_key).where(
        requests.c.tenant_id == tenant, requests.c.id == request_id
    )
    return (await tx.execute(query)).scalar_one_or_none()
