"""`GET /v1/requests`: every delivery to the tenant's sources; and the door, as the OpenAPI document has it."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from producers.access.http import Authenticate
from producers.access.principal import Principal
from producers.ports import TenantTransactions
from producers.webhooks import store
from schemas.errors import Refusal

BODY = {"description": "Signed as the source's scheme has it.", "content": {"*/*": {"schema": {"type": "string"}}}}


class Delivered(BaseModel):
    """What an accepted delivery is answered; `body_mismatch` when its id was known with another body."""

    request_id: UUID
    event_id: UUID
    duplicate: bool
    body_mismatch: bool = False


def door() -> APIRouter:
    """The hot route for the document only: `door.Door` answers every path under /hooks/ before FastAPI is asked."""
    router = APIRouter(tags=["webhooks"])
    challenge = {"description": "Slack's challenge, as it came.", "content": {"text/plain": {}}}

    @router.post(
        "/hooks/{source_id}", status_code=202, openapi_extra={"requestBody": BODY},
        responses={202: {"model": Delivered}, 200: challenge},
    )  # fmt: skip
    async def deliver(source_id: UUID) -> None:
        """A webhook: 202 once it is stored. No key: its signature says whose it is, 401 for any other."""
        raise NotImplementedError

    return router


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
