"""`GET /v1/jobs`: read from the view, or from the log where the view has not got to yet."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, Security

from projections.jobs import store
from projections.jobs.fold import fold_all, moment
from projections.jobs.responses import Job, JobSummary
from projections.ports import History
from projections.reading import position
from schemas.errors import Refusal
from schemas.measures import compared
from schemas.page import Page, page
from schemas.permissions import Permission
from schemas.ports import TenantTransactions


class Principal(Protocol):
    """Whose rows are read."""

    @property
    def tenant(self) -> UUID:
        """The tenant of the shown key."""


def routes(
    authenticate: Callable[[Request], Awaitable[Principal]],
    transactions: TenantTransactions,
    history: History,
) -> APIRouter:
    """List jobs, and get one with its timeline."""
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
    asking = Annotated[Any, Security(authenticate, scopes=[Permission.JOBS_READ])]

    @router.get("", responses={200: {"model": Page[JobSummary]}})
    async def newest(
        principal: asking, response: Response, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> dict[str, Any]:
        """The tenant's jobs, newest first, without `details`: one has them by its id."""
        async with transactions(principal.tenant) as tx:
            rows = await store.newest(tx, limit)
            stands = response.headers["Headrace-Position"] = await position(tx, "jobs")
        return page(rows, position=stands)

    @router.get("/{job_id}", responses={200: {"model": Job}})
    async def one(job_id: UUID, principal: asking, response: Response) -> dict[str, Any]:
        """One job: state, attempts, metrics, failure, timeline. Known from its 202 on."""
        async with transactions(principal.tenant) as tx:
            response.headers["Headrace-Position"] = await position(tx, "jobs")
            job = await store.one(tx, job_id)
            if job is not None:
                return job
            events = await history(tx, principal.tenant, job_id)
        row = fold_all(events)
        if row is None:
            raise Refusal("not_found", "There is no such job.")
        lines = [line for line in map(moment, events) if line is not None]
        return {
            **compared(row.document),
            "timeline": [store.shown(_mapping(line)) for line in lines],
        }

    return router


def _mapping(line: Any) -> dict[str, Any]:
    return {name: getattr(line, name) for name in ("type", "time", "version", "event_id", "data")}
