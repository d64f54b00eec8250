"""`/v1/dead-letters`: what could not be handled, and why.

Given up here, or replayed by `/v1/replays`.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from consumers.asking import Asking, told
from consumers.dead_letters import store
from consumers.dead_letters.filter import GroupPage, LetterFilter, LetterPage, letters_like
from consumers.ports import TenantTransactions
from schemas.cursor import decoded_place, encoded_place
from schemas.decode import read
from schemas.errors import Refusal
from schemas.event import Undecodable

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
    asking = Annotated[Any, Depends(authenticate)]

    async def found(principal: Asking, letter_id: UUID) -> Any:
        async with transactions(principal.tenant) as tx:
            row = await store.one(tx, letter_id)
        if row is None:
            raise Refusal("not_found", "There is no such dead letter.")
        return row

    @router.get("")
    async def newest(principal: asking, query: Annotated[LetterPage, Query()]) -> dict[str, Any]:
        """The tenant's dead letters, newest first, filtered."""
        after = decoded_place(query.cursor)
        async with transactions(principal.tenant) as tx:
            rows = await store.page(tx, letters_like(query, query.state), query.limit + 1, after)
        shown = rows[: query.limit]
        more = (
            encoded_place(shown[-1]["created_at"], shown[-1]["id"])
            if len(rows) > query.limit
            else None
        )
        return {"data": [dict(row) for row in shown], "next_cursor": more, "position": None}

    @router.get("/groups")
    async def groups(principal: asking, query: Annotated[GroupPage, Query()]) -> dict[str, Any]:
        """The same by fingerprint: how many, how many of them parked, first, last, and a sample."""
        async with transactions(principal.tenant) as tx:
            rows = await store.groups(tx, letters_like(query, query.state), query.limit)
        return {"data": [dict(row) for row in rows], "next_cursor": None, "position": None}

    @router.get("/{letter_id}")
    async def one(letter_id: UUID, principal: asking) -> dict[str, Any]:
        """One dead letter, with its headers, the stack of a bug, and the event in it where it
        can be read.
        """
        return _shown(await found(principal, letter_id), topic_prefix)

    @router.get("/{letter_id}/raw")
    async def raw(letter_id: UUID, principal: asking) -> Response:
        """The record's value, byte for byte."""
        row = await found(principal, letter_id)
        return Response(
            row["value"] or b"",
            media_type="application/octet-stream",
            headers=BYTES_ARE_NOBODYS_PAGE,
        )

    @router.post("/{letter_id}/discard")
    async def discard(letter_id: UUID, body: Discard, principal: asking) -> dict[str, Any]:
        """Give one up for good. One that was given up before stays as it is.

        One that was applied is refused.
        """
        async with transactions(principal.tenant) as tx:
            await store.discard(tx, LetterFilter(ids=(letter_id,)), told(principal), body.reason)
        row = await found(principal, letter_id)
        if row["state"] == "applied":
            raise Refusal("already_applied", "A replay has applied this dead letter already.")
        return _shown(row, topic_prefix)

    @router.post("/groups/{fingerprint}/discard")
    async def discard_group(
        fingerprint: Fingerprint, body: Discard, principal: asking
    ) -> dict[str, Any]:
        """Give up all of one fingerprint that are neither applied nor discarded."""
        wanted = LetterFilter(fingerprint=fingerprint)
        async with transactions(principal.tenant) as tx:
            if not await store.count(tx, wanted):
                raise Refusal("not_found", "There are no such dead letters.")
            discarded = await store.discard(tx, wanted, told(principal), body.reason)
        return {"fingerprint": fingerprint, "discarded": discarded}

    return router


def _shown(row: Any, topic_prefix: str) -> dict[str, Any]:
    record = store.record_of(row)
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
