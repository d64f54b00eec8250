"""`GET /v1/usage`: what was used, per meter and window."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response, Security

from projections.reading import position
from projections.usage import store
from projections.usage.responses import UsageSum
from schemas.page import Page, page
from schemas.permissions import Permission
from schemas.ports import TenantTransactions
from schemas.types import Moment


def routes(
    authenticate: Callable[[Request], Awaitable[Any]], transactions: TenantTransactions
) -> APIRouter:
    """The route that sums up usage."""
    router = APIRouter(prefix="/v1/usage", tags=["usage"])
    asking = Annotated[Any, Security(authenticate, scopes=[Permission.USAGE_READ])]

    @router.get("", responses={200: {"model": Page[UsageSum]}})
    async def usage(
        principal: asking,
        response: Response,
        meter: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
        window: Literal["day", "month"] = "day",
        since: Annotated[Moment | None, Query(alias="from")] = None,
        to: Moment | None = None,
    ) -> dict[str, Any]:
        """Sums per meter and UTC day or month, newest first; with `from` or `to` over the days of
        that period only.

        Usage is kept by whole UTC days: a day counts when the period has any part of it; `to` is
        not within.
        """
        async with transactions(principal.tenant) as tx:
            rows = await store.read(tx, {"meter": meter, "window": window, **days(since, to)})
            stands = response.headers["Headrace-Position"] = await position(tx, "usage")
        return page([{**row, "value": _number(row["value"])} for row in rows], position=stands)

    return router


def days(since: datetime | None, to: datetime | None) -> dict[str, date | None]:
    """Return the first UTC day that a period has a part of, and the first day after it; None
    where it has no bound.
    """
    first = None if since is None else since.astimezone(UTC).date()
    if to is None:
        return {"since": first, "until": None}
    end = to.astimezone(UTC)
    is_whole = (
        end.time() == time.min or end.date() == date.max or (since is not None and to <= since)
    )
    return {"since": first, "until": end.date() if is_whole else end.date() + timedelta(days=1)}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
