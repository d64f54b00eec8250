"""`GET /v1/usage`: what was used, per meter and window."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from projections.ports import TenantTransactions
from projections.reading import position
from projections.usage import store


def routes(authenticate: Callable[[Request], Awaitable[Any]], transactions: TenantTransactions) -> APIRouter:
    """Usage sums."""
    router = APIRouter(prefix="/v1/usage", tags=["usage"])

    @router.get("")
    async def usage(
        principal: Annotated[Any, Depends(authenticate)],
        response: Response,
        meter: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
        window: Literal["day", "month"] = "day",
    ) -> dict[str, Any]:
        """Sums per meter and UTC day or month, newest first."""
        async with transactions(principal.tenant) as tx:
            rows = await store.read(tx, {"meter": meter, "window": window})
            stands = response.headers["Headrace-Position"] = await position(tx, "usage")
        return {
            "data": [{**row, "value": _number(row["value"])} for row in rows], "next_cursor": None, "position": stands
        }  # fmt: skip

    return router


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
