"""`GET /v1/requests`: every delivery to the tenant's sources, with what became of it at the door."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from producers.access.http import Authenticate
from producers.access.principal import Principal
from producers.ports import TenantTransactions
from producers.webhooks import store
from schemas.errors import Refusal


def routes(authenticate: Authenticate, transactions: TenantTransactions) -> APIRouter:
    """List deliveries, and get one request."""
    router = APIRouter(prefix="/v1/requests", tags=["requests"])
    asking = Annotated[Principal, Depends(authenticate)]

    @router.get("")
    async def deliveries(
        principal: asking,
        source_id: UUID | None = None,
        outcome: Literal["accepted", "duplicate", "rejected"] | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Newest first: accepted, repeated, and (some of) those that were rejected, with the reason."""
        async with transactions(principal.tenant) as tx:
            rows = await store.deliveries(tx, {"source": source_id, "outcome": outcome, "limit": limit})
        return {"data": [dict(row) for row in rows], "next_cursor": None, "position": None}

    @router.get("/{request_id}")
    async def one(request_id: UUID, principal: asking) -> dict[str, Any]:
        """One accepted request: its event, its identity, the headers that were kept."""
        async with transactions(principal.tenant) as tx:
            row = await store.one(tx, request_id)
        if row is None:
            raise Refusal("not_found", "There is no such request.")
        shown = {name: value for name, value in row.items() if name not in ("tenant_id", "body_key")}
        return {**shown, "body_hash": row["body_hash"].hex()}

    return router
