"""`GET /v1/dead-letters`: what could not be handled, and why."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from consumers.dead_letters import store
from consumers.ports import TenantTransactions


def routes(authenticate: Callable[[Request], Awaitable[Any]], transactions: TenantTransactions) -> APIRouter:
    """List dead letters."""
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])

    @router.get("")
    async def newest(
        principal: Annotated[Any, Depends(authenticate)], limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> dict[str, Any]:
        """The tenant's dead letters, newest first."""
        async with transactions(principal.tenant) as tx:
            rows = await store.newest(tx, limit)
        return {"data": [dict(row) for row in rows], "next_cursor": None, "position": None}

    return router
