"""`/v1/dead-letters`: what could not be handled, and why.

Given up here, or replayed by `/v1/replays`.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response, Security
from pydantic import BaseModel, ConfigDict, StringConstraints

from consumers.dead_letters import store
from consumers.dead_letters.filter import DeadLetterFilter, GroupPage, LetterPage, dead_letters_like
from consumers.dead_letters.parking import store as parking
from consumers.dead_letters.responses import (
    DeadLetterDetails,
    DeadLetterGroup,
    DeadLetterSummary,
    DiscardedGroup,
)
from consumers.principal import Principal, actor_label
from schemas.cursor import decoded_place
from schemas.decode import read
from schemas.errors import Refusal
from schemas.event_decode import Undecodable
from schemas.page import Page, binary, page
from schemas.permissions import Permission
from schemas.ports import TenantTransactions

Reason = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]
Fingerprint = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
BYTES_ARE_NOBODYS_PAGE = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}


class Discard(BaseModel):
    """Why something is given up."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason


def routes(
    authenticate: Callable[[Request], Awaitable[Any]],
    transactions: TenantTransactions,
    topic_prefix: str = "",
) -> APIRouter:
    """List, group, show, and discard dead letters."""
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])
    reader = Annotated[Any, Security(authenticate, scopes=[Permission.DEAD_LETTERS_READ])]
    writer = Annotated[Any, Security(authenticate, scopes=[Permission.DEAD_LETTERS_WRITE])]

    async def found(principal: Principal, letter_id: UUID) -> Any:
        async with transactions(principal.tenant) as tx:
            row = await store.one(tx, letter_id)
        if row is None:
            raise Refusal("not_found", "There is no such dead letter.")
        return row

    @router.get("", responses={200: {"model": Page[DeadLetterSummary]}})
    async def newest(principal: reader, query: Annotated[LetterPage, Query()]) -> dict[str, Any]:
        """The tenant's dead letters, newest first, filtered."""
        after = decoded_place(query.cursor)
        async with transactions(principal.tenant) as tx:
            rows = await store.page(
                tx, dead_letters_like(query, query.state), query.limit + 1, after
            )
        return page([dict(row) for row in rows], limit=query.limit, sorted_by=("created_at", "id"))

    @router.get("/groups", responses={200: {"model": Page[DeadLetterGroup]}})
    async def groups(principal: reader, query: Annotated[GroupPage, Query()]) -> dict[str, Any]:
        """The same by fingerprint: how many, how many of them parked, first, last, and a sample."""
        async with transactions(principal.tenant) as tx:
            rows = await store.groups(tx, dead_letters_like(query, query.state), query.limit)
        return page([dict(row) for row in rows])

    @router.get("/{letter_id}", responses={200: {"model": DeadLetterDetails}})
    async def one(letter_id: UUID, principal: reader) -> dict[str, Any]:
        """One dead letter, with its headers, the stack of a bug, and the event in it where it
        can be read.
        """
        return _shown(await found(principal, letter_id), topic_prefix)

    @router.get(
        "/{letter_id}/raw", response_class=Response, responses={200: binary("The record's value.")}
    )
    async def raw(letter_id: UUID, principal: reader) -> Response:
        """The record's value, byte for byte."""
        row = await found(principal, letter_id)
        return Response(
            row["value"] or b"",
            media_type="application/octet-stream",
            headers=BYTES_ARE_NOBODYS_PAGE,
        )

    @router.post("/{letter_id}/discard", responses={200: {"model": DeadLetterDetails}})
    async def discard(letter_id: UUID, body: Discard, principal: writer) -> dict[str, Any]:
        """Give one up for good. One that was given up before stays as it is.

        One that was applied is refused.
        """
        async with transactions(principal.tenant) as tx:
            await store.discard(
                tx, DeadLetterFilter(ids=(letter_id,)), actor_label(principal), body.reason
            )
        row = await found(principal, letter_id)
        if row["state"] == "applied":
            raise Refusal("already_applied", "A replay has applied this dead letter already.")
        return _shown(row, topic_prefix)

    @router.post("/groups/{fingerprint}/discard", responses={200: {"model": DiscardedGroup}})
    async def discard_group(
        fingerprint: Fingerprint, body: Discard, principal: writer
    ) -> dict[str, Any]:
        """Give up all of one fingerprint that are neither applied nor discarded."""
        wanted = DeadLetterFilter(fingerprint=fingerprint)
        async with transactions(principal.tenant) as tx:
            if not await store.count(tx, wanted):
                raise Refusal("not_found", "There are no such dead letters.")
            discarded = await store.discard(tx, wanted, actor_label(principal), body.reason)
        return {"fingerprint": fingerprint, "discarded": discarded}

    return router


def _shown(row: Any, topic_prefix: str) -> dict[str, Any]:
    record = parking.record_of(row)
    try:
        decoded, undecodable = read(record, topic_prefix).model_dump(mode="json"), None
    except Undecodable as error:
        decoded, undecodable = None, str(error)
    hidden = ("tenant_id", "key", "value", "headers", "incarnation")
    kept = {name: value for name, value in row.items() if name not in hidden}
    return {
        **kept,
        "key": None if record.key is None else _text(record.key),
        "headers": [{"name": name, "value": _text(value)} for name, value in record.headers],
        "size_bytes": len(record.value or b""),
        "decoded": decoded,
        "undecodable": undecodable,
    }


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
