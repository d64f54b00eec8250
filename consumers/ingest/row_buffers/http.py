"""`GET /v1/streams`: rows that wait, and the version that was sealed last."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Security

from consumers.ingest.row_buffers import store
from consumers.ingest.row_buffers.responses import RowStream
from schemas.page import Page, page
from schemas.permissions import Permission
from schemas.ports import TenantTransactions


def routes(
    authenticate: Callable[[Request], Awaitable[Any]], transactions: TenantTransactions
) -> APIRouter:
    """The routes that list row buffers."""
    router = APIRouter(prefix="/v1/streams", tags=["streams"])
    asking = Annotated[Any, Security(authenticate, scopes=[Permission.STREAMS_READ])]

    @router.get("", responses={200: {"model": Page[RowStream]}})
    async def newest(
        principal: asking, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> dict[str, Any]:
        """The tenant's streams of rows, newest first: rows that wait, when they are sealed, what
        was sealed last.
        """
        async with transactions(principal.tenant) as tx:
            rows = await store.newest(tx, limit)
        return page([_shown(row) for row in rows])

    return router


def _shown(row: Any) -> dict[str, Any]:
    sealed = None
    if row["sealed_dataset_id"] is not None:
        sealed = {
            "dataset_id": str(row["sealed_dataset_id"]),
            "version": row["sealed_version"],
            "state": row["sealed_state"] or "submitted",
            "rows": row["sealed_rows"],
            "reason": row["sealed_reason"],
            "sealed_at": row["sealed_at"].isoformat(),
        }
    return {
        "id": str(row["id"]),
        "source_id": str(row["source_id"]),
        "dataset": row["dataset"],
        "columns": row["columns"],
        "mapping_version": row["mapping_version"],
        "state": "current" if row["is_current"] else "closed",
        "rows": row["taken"],
        "open_rows": row["taken"] - row["cut"],
        "waiting_batches": row["batches"] - row["sealed"],
        "seal": row["seal"],
        "train": row["train"],
        "opened_at": _moment(row["opened_at"]),
        "next_seal_at": _moment(row["seal_at"]),
        "sealed_batches": row["sealed"],
        "last_sealed": sealed,
        "created_at": row["created_at"].isoformat(),
    }


def _moment(value: Any) -> str | None:
    return None if value is None else str(value.isoformat())
