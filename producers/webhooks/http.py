"""`GET /v1/requests`: every delivery to the tenant's sources.

And the webhook endpoint, as the OpenAPI document has it.
"""

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response, Security
from pydantic import BaseModel
from pydantic_core import from_json

from producers.access.http import Authenticate
from producers.access.principal import Principal
from producers.webhooks import store
from producers.webhooks.examination import ENCODING
from producers.webhooks.responses import AcceptedRequest, Delivery
from producers.webhooks.sources import store as sources
from schemas.cursor import decoded_place
from schemas.errors import Refusal
from schemas.page import Page, binary, page
from schemas.permissions import Permission
from schemas.ports import TenantTransactions
from schemas.types import Cursor, Moment

BODY = {
    "description": "Signed as the source's scheme has it.",
    "content": {"*/*": {"schema": {"type": "string"}}},
}


class Delivered(BaseModel):
    """What an accepted delivery is answered; `body_mismatch` when its id was known with another
    body.
    """

    request_id: UUID
    event_id: UUID
    duplicate: bool
    body_mismatch: bool = False


def door() -> APIRouter:
    """The hot route, for the document only: the webhook endpoint answers every path under /hooks/
    before FastAPI is called.
    """
    router = APIRouter(tags=["webhooks"])
    challenge = {"description": "Slack's challenge, as it came.", "content": {"text/plain": {}}}

    @router.post(
        "/hooks/{source_id}",
        status_code=202,
        openapi_extra={"requestBody": BODY},
        responses={202: {"model": Delivered}, 200: challenge},
    )
    async def deliver(source_id: UUID) -> None:
        """A webhook: 202 once it is stored. No key: its signature says whose it is, 401 for any
        other.
        """
        raise NotImplementedError

    return router


ReadObject = Callable[[str], Awaitable[bytes | None]]
"""The bytes of an object by its key; None when there is no such object."""
# What a stranger sent is shown as a file, never as a page of this API.
AS_A_FILE = {
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox",
}
Replays = Callable[[Any, UUID], Awaitable[Sequence[Mapping[str, Any]]]]
"""What replays made of a request: (tx, request)."""
JobsOf = Callable[[Any, Sequence[UUID]], Awaitable[Mapping[UUID, UUID]]]
"""The jobs that webhooks started, by the webhooks' events: (tx, events)."""


def routes(
    authenticate: Authenticate,
    transactions: TenantTransactions,
    read_object: ReadObject,
    replays: Replays,
    jobs_of: JobsOf,
) -> APIRouter:
    """List deliveries, get one request and its body."""
    router = APIRouter(prefix="/v1/requests", tags=["requests"])
    asking = Annotated[Principal, Security(authenticate, scopes=[Permission.REQUESTS_READ])]

    @router.get("", responses={200: {"model": Page[Delivery]}})
    async def deliveries(
        principal: asking,
        source_id: UUID | None = None,
        outcome: Literal["accepted", "duplicate", "rejected"] | None = None,
        since: Annotated[Moment | None, Query(alias="from")] = None,
        to: Moment | None = None,
        cursor: Cursor | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Newest first, each with its source and the job that it started: accepted, repeated, and
        (some of) those that were rejected, with the reason.
        """
        given = {"source": source_id, "from": since, "to": to}
        filters = {name: value for name, value in given.items() if value is not None}
        async with transactions(principal.tenant) as tx:
            rows = await store.deliveries(tx, filters, outcome, decoded_place(cursor), limit + 1)
            shown = rows[:limit]
            names = await sources.names_of(tx, {row["source_id"] for row in shown})
            jobs = await jobs_of(
                tx, [row["event_id"] for row in shown if row["event_id"] is not None]
            )
        answer = page(rows, limit=limit, sorted_by=("received_at", "place"))
        data = [
            {
                **{name: value for name, value in row.items() if name != "place"},
                "source_name": names.get(row["source_id"]),
                "job_id": jobs.get(row["event_id"]),
            }
            for row in shown
        ]
        return {**answer, "data": data}

    @router.get("/{request_id}", responses={200: {"model": AcceptedRequest}})
    async def one(request_id: UUID, principal: asking) -> dict[str, Any]:
        """One accepted request: its event, its identity, the headers that were kept, and its
        replays.
        """
        async with transactions(principal.tenant) as tx:
            row = await store.one(tx, request_id)
            if row is None:
                raise _unknown()
            again = await replays(tx, request_id)
            names = await sources.names_of(tx, [row["source_id"]])
            jobs = await jobs_of(tx, [row["event_id"]])
        shown = {
            name: value for name, value in row.items() if name not in ("tenant_id", "body_key")
        }
        # The body is kept without its coding: a header that says otherwise would mislead whoever
        # sends it on.
        headers = {name: value for name, value in row["headers"].items() if name != ENCODING}
        return {
            **shown,
            "headers": headers,
            "content_encoding": row["headers"].get(ENCODING),
            "source_name": names.get(row["source_id"]),
            "job_id": jobs.get(row["event_id"]),
            "body_hash": row["body_hash"].hex(),
            "replays": again,
        }

    @router.get(
        "/{request_id}/body",
        response_class=Response,
        responses={200: binary("The bytes that came.")},
    )
    async def body(request_id: UUID, principal: asking) -> Response:
        """The bytes that were delivered, with their media type; 410 when they are not kept any
        more.
        """
        async with transactions(principal.tenant) as tx:
            row = await store.one(tx, request_id)
            if row is None:
                raise _unknown()
            record = (
                None
                if row["body_key"]
                else await store.kept_in_log(tx, principal.tenant, row["event_id"])
            )
        content = await read_object(row["body_key"]) if row["body_key"] else _inside(record)
        if content is None:
            raise Refusal("body_gone", "The body of this request is not kept any more.")
        media_type = row["content_type"] or "application/octet-stream"
        return Response(content, headers={**AS_A_FILE, "Content-Type": media_type})

    return router


def _unknown() -> Refusal:
    return Refusal("not_found", "There is no such request.")


def _inside(record: bytes | None) -> bytes | None:
    """The body in the record of a webhook."""
    if record is None:
        return None
    data = from_json(record)["data"]
    text = data["body"]
    return base64.b64decode(text) if data["body_encoding"] == "base64" else str(text).encode()
