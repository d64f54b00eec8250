"""Read the log of one aggregate: what is true before any projection has caught up."""

from collections.abc import Sequence
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
    SELECT EXISTS (SELECT FROM events WHERE tenant_id = :tenant AND aggregate_id = :aggregate AND topic = :topic)
""")


async def of_aggregate(tx: AsyncConnection, tenant: UUID, topic: str, aggregate: UUID) -> Sequence[Row[Any]]:
    """Every event of one aggregate, oldest first."""
    given = {"tenant": tenant, "aggregate": str(aggregate), "topic": topic}
    return (await tx.execute(OF_AGGREGATE, given)).all()


async def has_any(tx: AsyncConnection, tenant: UUID, topic: str, aggregate: UUID) -> bool:
    """Whether anything was ever said of an aggregate."""
    given = {"tenant": tenant, "aggregate": str(aggregate), "topic": topic}
    return bool((await tx.execute(ANY_OF_AGGREGATE, given)).scalar_one())
