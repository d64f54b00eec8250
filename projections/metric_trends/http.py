"""`GET /v1/metric-trends`: how a model does, version by version."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response, Security

from projections.metric_trends import store
from projections.metric_trends.responses import MetricPoint, MetricSummary
from projections.reading import position
from schemas.page import Page, page
from schemas.permissions import Permission
from schemas.ports import TenantTransactions
from schemas.types import Moment


def routes(
    authenticate: Callable[[Request], Awaitable[Any]], transactions: TenantTransactions
) -> APIRouter:
    """Trends and their summaries."""
    router = APIRouter(prefix="/v1/metric-trends", tags=["metric trends"])
    asking = Annotated[Any, Security(authenticate, scopes=[Permission.METRICS_READ])]
    name = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
    begin = Annotated[
        Moment | None, Query(alias="from", description="Versions trained at or after this.")
    ]
    end = Annotated[Moment | None, Query(description="Versions trained before this.")]

    @router.get("", responses={200: {"model": Page[MetricPoint]}})
    async def trend(
        principal: asking,
        response: Response,
        model: name = None,
        metric: name = None,
        since: begin = None,
        to: end = None,
        limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
    ) -> dict[str, Any]:
        """Every point, by model, metric and version, beside the baseline's.

        `better` is the direction of the metric; `same_dataset` is false where the version before
        learned from another dataset, or another upload of it. The rows of the test set also follow
        from the seed.
        """
        async with transactions(principal.tenant) as tx:
            rows = await store.trend(
                tx, {"model": model, "metric": metric, "since": since, "until": to, "limit": limit}
            )
            stands = response.headers["Headrace-Position"] = await position(tx, "metric_trends")
        return page(rows, position=stands)

    @router.get("/summary", responses={200: {"model": Page[MetricSummary]}})
    async def summary(
        principal: asking,
        response: Response,
        model: name = None,
        metric: name = None,
        since: begin = None,
        to: end = None,
    ) -> dict[str, Any]:
        """Count, average, range, quantiles, latest and its change, per model and metric."""
        async with transactions(principal.tenant) as tx:
            rows = await store.summary(
                tx, {"model": model, "metric": metric, "since": since, "until": to}
            )
            stands = response.headers["Headrace-Position"] = await position(tx, "metric_trends")
        return page(rows, position=stands)

    return router
