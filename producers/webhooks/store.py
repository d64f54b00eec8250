"""Rows of requests: accepted, repeated and rejected deliveries."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from producers.webhooks.tables import requests

LIST = text("""
    SELECT * FROM (
        SELECT id, source_id, 'accepted' AS outcome, NULL AS reason, event_id, external_id, content_type, size_bytes,
               possible_replay, NULL::boolean AS same_body, received_at
        FROM requests WHERE CAST(:source AS uuid) IS NULL OR source_id = :source
        UNION ALL
        SELECT r.id, r.source_id, 'duplicate', NULL, r.event_id, r.external_id, r.content_type, r.size_bytes,
               r.possible_replay, d.same_body, d.received_at
        FROM request_repeats d JOIN requests r ON r.tenant_id = d.tenant_id AND r.id = d.request_id
        WHERE CAST(:source AS uuid) IS NULL OR r.source_id = :source
        UNION ALL
        SELECT id, source_id, 'rejected', reason, NULL, NULL, content_type, size_bytes, false, NULL, received_at
        FROM rejected_requests WHERE CAST(:source AS uuid) IS NULL OR source_id = :source
    ) AS deliveries
    WHERE CAST(:outcome AS text) IS NULL OR outcome = :outcome
    ORDER BY received_at DESC, id DESC LIMIT :limit
""")


async def deliveries(tx: AsyncConnection, given: dict[str, Any]) -> Sequence[RowMapping]:
    """The tenant's deliveries, newest first; given are `source`, `outcome` and `limit`."""
    return (await tx.execute(LIST, given)).mappings().all()


async def one(tx: AsyncConnection, request_id: UUID) -> RowMapping | None:
    """One accepted request of the tenant."""
    return (await tx.execute(select(requests).where(requests.c.id == request_id))).mappings().one_or_none()


async def body_key_of(tx: AsyncConnection, tenant: UUID, request_id: UUID) -> str | None:
    """Where the body of a request is kept that was too large for a record."""
    query = select(requests.c.body_key).where(requests.c.tenant_id == tenant, requests.c.id == request_id)
    return (await tx.execute(query)).scalar_one_or_none()
