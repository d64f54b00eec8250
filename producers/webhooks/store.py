"""Rows of requests."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from producers.webhooks.tables import requests


async def body_of(tx: AsyncConnection, tenant: UUID, request_id: UUID) -> bytes | None:
    """The raw bytes of a request, None when they are gone; for ingest, through its port."""
    query = select(requests.c.body).where(requests.c.tenant_id == tenant, requests.c.id == request_id)
    return (await tx.execute(query)).scalar_one_or_none()
