"""`GET /v1/models`: lines and their versions."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from consumers.finalization import store
from consumers.ports import TenantTransactions
from schemas.errors import Refusal


def routes(authenticate: Callable[[Request], Awaitable[Any]], transactions: TenantTransactions) -> APIRouter:
    """List lines and versions, and get one."""
    router = APIRouter(prefix="/v1/models", tags=["models"])
    asking = Annotated[Any, Depends(authenticate)]
    most = Annotated[int, Query(ge=1, le=200)]
    named = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$")]
    numbered = Annotated[int, Path(ge=1, lt=1 << 31)]

    @router.get("")
    async def lines(principal: asking, limit: most = 50) -> dict[str, Any]:
        """The tenant's model lines with their newest version."""
        async with transactions(principal.tenant) as tx:
            rows = await store.lines(tx, limit)
        return {"data": [dict(row) for row in rows], "next_cursor": None, "position": None}

    @router.get("/{name}")
    async def line(name: named, principal: asking) -> dict[str, Any]:
        """One line: its newest version, and how many there are."""
        async with transactions(principal.tenant) as tx:
            rows = await store.versions(tx, name, 1)
        if not rows:
            raise Refusal("not_found", "There is no such model.")
        return {"name": name, "versions": rows[0]["version"], "latest": store.shown(rows[0])}

    @router.get("/{name}/versions")
    async def versions(name: named, principal: asking, limit: most = 50) -> dict[str, Any]:
        """The versions of a line, newest first; details, plan and files are those of one by its number."""
        async with transactions(principal.tenant) as tx:
            rows = await store.listed(tx, name, limit)
        if not rows:
            raise Refusal("not_found", "There is no such model.")
        return {"data": [dict(row) for row in rows], "next_cursor": None, "position": None}

    @router.get("/{name}/versions/{number}")
    async def version(name: named, number: numbered, principal: asking) -> dict[str, Any]:
        """One version: metrics, baseline, lineage, plan, files."""
        async with transactions(principal.tenant) as tx:
            row = await store.version(tx, name, number)
        if row is None:
            raise Refusal("not_found", "There is no such model version.")
        return store.shown(row)

    return router
