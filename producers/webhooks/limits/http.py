"""`GET /v1/limits`: what the tenant may send, and who said so."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from producers.access.http import Authenticate
from producers.access.principal import Principal
from producers.ports import TenantTransactions
from producers.webhooks.limits import store
from producers.webhooks.limits.limit import in_force


def routes(authenticate: Authenticate, transactions: TenantTransactions, settings: Mapping[str, float]) -> APIRouter:
    """The tenant's limits."""
    router = APIRouter(prefix="/v1/limits", tags=["limits"])

    @router.get("")
    async def limits(principal: Annotated[Principal, Depends(authenticate)]) -> dict[str, Any]:
        """Each limit in force; `origin` is `tenant` where it was set for this tenant, else `settings`."""
        async with transactions(principal.tenant) as tx:
            own = await store.own(tx, principal.tenant)
        rows = [
            {"name": one.limit.name, "value": one.value, "unit": one.limit.unit, "origin": one.origin}
            for one in in_force(settings, own)
        ]
        return {"data": rows, "next_cursor": None, "position": None}

    return router
