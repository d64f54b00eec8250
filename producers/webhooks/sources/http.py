"""`/v1/sources`: configuration, decided at once."""

import secrets
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from producers.access.http import Authenticate
from producers.access.principal import Principal
from producers.ports import Clock, TenantTransactions
from producers.webhooks.sources import store
from producers.webhooks.sources.source import NewSource
from producers.webhooks.verification import standard_webhooks
from schemas.errors import Refusal


def routes(authenticate: Authenticate, transactions: TenantTransactions, clock: Clock, api_url: str) -> APIRouter:
    """Create, list and get sources."""
    router = APIRouter(prefix="/v1/sources", tags=["sources"])
    asking = Annotated[Principal, Depends(authenticate)]

    def shown(row: Any) -> dict[str, Any]:
        return {**row, "url": f"{api_url}/hooks/{row['id']}"}

    @router.post("", status_code=201)
    async def create(body: NewSource, principal: asking, response: Response) -> dict[str, Any]:
        """Create a source. Its secret is in this answer and never again; give one to keep an existing one."""
        secret = body.secret or standard_webhooks.secret_from(secrets.token_bytes(32))
        if standard_webhooks.secret_bytes(secret) is None:
            raise Refusal("invalid_secret", "A Standard Webhooks secret is whsec_ and the base64 of 24 to 64 bytes.")
        try:
            async with transactions(principal.tenant) as tx:
                row = await store.add(
                    tx, principal.tenant, clock.new_id(), name=body.name, scheme=body.scheme, secret=secret,
                    action=body.action.model_dump(mode="json", exclude_none=True),
                )  # fmt: skip
        except store.NameTaken:
            raise Refusal("name_taken", f"There is a source named {body.name!r} already.", name=body.name) from None
        response.headers["Location"] = f"/v1/sources/{row['id']}"
        return {**shown(row), "secret": secret}

    @router.get("")
    async def newest(principal: asking, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> dict[str, Any]:
        """The tenant's sources, newest first, without their secrets."""
        async with transactions(principal.tenant) as tx:
            rows = await store.newest(tx, limit)
        return {"data": [shown(row) for row in rows], "next_cursor": None, "position": None}

    @router.get("/{source_id}")
    async def one(source_id: UUID, principal: asking) -> dict[str, Any]:
        """One source, without its secret."""
        async with transactions(principal.tenant) as tx:
            row = await store.one(tx, source_id)
        if row is None:
            raise Refusal("not_found", "There is no such source.")
        return shown(row)

    return router
