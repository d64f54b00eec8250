"""`GET /v1/datasets`: the owner's rows, or the log where ingest has not got to it yet."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Security

from consumers.ingest import responses, store
from consumers.ingest.dataset import Dataset, submitted
from schemas.datasets import DatasetSubmitted
from schemas.errors import Refusal
from schemas.event import Event
from schemas.page import Page, page
from schemas.permissions import Permission
from schemas.ports import TenantTransactions

History = Callable[[Any, UUID, UUID], Awaitable[Sequence[Event]]]
"""Every event of one dataset, from the log: (tx, tenant, dataset)."""


def routes(
    authenticate: Callable[[Request], Awaitable[Any]],
    transactions: TenantTransactions,
    history: History,
) -> APIRouter:
    """List datasets, and get one with its report and profile."""
    router = APIRouter(prefix="/v1/datasets", tags=["datasets"])
    asking = Annotated[Any, Security(authenticate, scopes=[Permission.DATASETS_READ])]

    async def found(tenant: UUID, dataset_id: UUID) -> Dataset:
        async with transactions(tenant) as tx:
            dataset = await store.one(tx, dataset_id)
            if dataset is not None:
                return dataset
            events = await history(tx, tenant, dataset_id)
        if not events or not isinstance(events[0].data, DatasetSubmitted):
            raise Refusal("not_found", "There is no such dataset.")
        return submitted(events[0], events[0].data, events[0].data.reading)

    @router.get("", responses={200: {"model": Page[responses.DatasetSummary]}})
    async def newest(
        principal: asking,
        name: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
        state: Literal["submitted", "validated", "rejected"] | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """The tenant's datasets, or those of a name, newest first; columns, report and profile are
        those of one by its id.
        """
        async with transactions(principal.tenant) as tx:
            rows = await store.newest(tx, limit, name, state)
        return page([dict(row) for row in rows])

    @router.get("/{dataset_id}", responses={200: {"model": responses.Dataset}})
    async def one(dataset_id: UUID, principal: asking) -> dict[str, Any]:
        """One dataset: `submitted`, then `validated` or `rejected`, with report and profile."""
        dataset = await found(principal.tenant, dataset_id)
        return {**_whole(dataset), "report": _report(dataset), "profile": dataset.profile}

    @router.get("/{dataset_id}/report", responses={200: {"model": responses.DatasetReport}})
    async def report(dataset_id: UUID, principal: asking) -> dict[str, Any]:
        """What validation found: rule, column, row numbers, samples, severity."""
        dataset = await found(principal.tenant, dataset_id)
        return {
            "state": dataset.state,
            "reason": dataset.reason,
            "findings": _report(dataset),
            **_reading(dataset),
        }

    @router.get("/{dataset_id}/profile", responses={200: {"model": responses.DatasetProfile}})
    async def profile(dataset_id: UUID, principal: asking) -> dict[str, Any]:
        """Each column's type and figures."""
        dataset = await found(principal.tenant, dataset_id)
        return {"state": dataset.state, "rows": dataset.rows, "columns": dataset.profile}

    return router


def _report(dataset: Dataset) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in dataset.findings]


def _reading(dataset: Dataset) -> dict[str, Any]:
    """The number of the reader's rules, and what was said of the file beforehand."""
    said = dataset.reading
    return {
        "reader": dataset.reader or (1 if dataset.state == "validated" else None),
        "reading": said and said.model_dump(mode="json", exclude={"alone"}),
    }


def _whole(dataset: Dataset) -> dict[str, Any]:
    return {
        "id": str(dataset.id),
        "name": dataset.name,
        "version": dataset.version,
        "state": dataset.state,
        "rows": dataset.rows,
        "columns": [one.model_dump() for one in dataset.columns],
        "reason": dataset.reason,
        **_reading(dataset),
        "size_bytes": dataset.size_bytes,
        "sha256": dataset.sha256,
        "created_at": dataset.created_at.isoformat(),
    }
