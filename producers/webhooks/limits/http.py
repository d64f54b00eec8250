"""`GET /v1/limits`: what the tenant may send, and who said so."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Security

from producers.access.http import Authenticate
from producers.access.principal import Principal
from producers.webhooks.limits import store
from producers.webhooks.limits.limit import in_force
from producers.webhooks.limits.responses import LimitInForce
from schemas.page import Page, page
from schemas.permissions import Permission
from schemas.ports import TenantTransactions

Stored = Callable[[Any, UUID], Awaitable[int]]
"""How many bytes a tenant has in the object store: (tx, tenant)."""


def routes(
    authenticate: Authenticate,
    transactions: TenantTransactions,
    settings: Mapping[str, float],
    stored: Stored,
) -> APIRouter:
    """The tenant's limits; of a stock, such as bytes that are stored, also how much is used."""
    router = APIRouter(prefix="/v1/limits", tags=["limits"])
    asking = Annotated[Principal, Security(authenticate, scopes=[Permission.LIMITS_READ])]

    @router.get("", responses={200: {"model": Page[LimitInForce]}})
    async def limits(principal: asking) -> dict[str, Any]:
        """Each limit in force; `origin` is `tenant` where it was set for this tenant, else
        `settings`.
        """
        async with transactions(principal.tenant) as tx:
            own = await store.own(tx, principal.tenant)
            used = {"tenant_storage_bytes": await stored(tx, principal.tenant)}
        rows = [
            {
                "name": one.limit.name,
                "value": one.value,
                "unit": one.limit.unit,
                "origin": one.origin,
                **({"used": used[one.limit.name]} if one.limit.name in used else {}),
            }
            for one in in_force(settings, own)
        ]
        return page(rows)

    return router
