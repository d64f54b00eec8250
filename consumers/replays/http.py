"""`/v1/replays`: messages handled once more, seen before it is done and message by message
after.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response, Security
from pydantic import BaseModel, ConfigDict

from consumers.dead_letters import store as letters
from consumers.principal import Principal, actor_label
from consumers.replays import store
from consumers.replays.ports import NewId, Requests
from consumers.replays.replay import (
    MOST_ITEMS,
    DeadLetterChoice,
    NewReplay,
    Reason,
    RequestChoice,
    Target,
    check_consumers,
    check_count,
)
from consumers.replays.responses import (
    DryReplay,
    ItemState,
    Replay,
    ReplayDetails,
    ReplaySummary,
)
from schemas.cursor import decoded_place
from schemas.errors import Refusal
from schemas.page import Page, page
from schemas.permissions import Permission
from schemas.ports import TenantTransactions
from schemas.types import Cursor

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

SAMPLE = 10


class ReplayRequest(BaseModel):
    """The body of `POST /v1/requests/{id}/replay`."""

    model_config = ConfigDict(extra="forbid")
    reason: Reason | None = None


def routes(
    authenticate: Callable[[Request], Awaitable[Any]],
    transactions: TenantTransactions,
    requests: Requests,
    new_id: NewId,
    consumers: Collection[str],
) -> APIRouter:
    """Start, list, show and cancel replays, and replay one request."""
    router = APIRouter(tags=["replays"])
    reader = Annotated[Any, Security(authenticate, scopes=[Permission.REPLAYS_READ])]
    writer = Annotated[Any, Security(authenticate, scopes=[Permission.REPLAYS_WRITE])]
    most = Annotated[int, Query(ge=1, le=200)]

    async def start(principal: Principal, body: NewReplay) -> dict[str, Any]:
        choice = body.choice()
        replay_id = new_id()
        new = store.NewRow(
            principal.tenant,
            replay_id,
            body.kind,
            choice.model_dump(mode="json", exclude_none=True),
            body.reason,
            body.throttle_per_second,
            body.expected,
            actor_label(principal),
        )
        async with transactions(principal.tenant) as tx:
            if isinstance(choice, RequestChoice):
                targets = await requests(tx, choice, MOST_ITEMS + 1)
            else:
                targets = await _letters(tx, choice, consumers)
            check_count(len(targets), choice, body.expected)
            await store.create(tx, new, targets)
            return await _known(tx, replay_id)

    async def look(principal: Principal, body: NewReplay) -> dict[str, Any]:
        choice = body.choice()
        async with transactions(principal.tenant) as tx:
            if isinstance(choice, RequestChoice):
                targets = await requests(tx, choice, MOST_ITEMS + 1)
                matched = len(targets)
                sample = [
                    {"id": one.subject, "event_id": one.event_id, "refused": one.refused}
                    for one in targets
                ]
            else:
                among = _among(choice, consumers)
                matched = await letters.count(tx, choice.letters(), among)
                rows = await letters.page(
                    tx, choice.letters(), max(SAMPLE, len(choice.ids or ())), among=among
                )
                check_consumers({row["consumer"] for row in rows}, consumers)
                sample = [dict(row) for row in rows]
            check_count(matched, choice, matched)
        return {"matched": matched, "sample": sample[:SAMPLE]}

    @router.post(
        "/v1/replays",
        status_code=202,
        responses={202: {"model": Replay}, 200: {"model": DryReplay}},
    )
    async def create(body: NewReplay, principal: writer, response: Response) -> dict[str, Any]:
        """Start a replay; or, with `dry_run`, count the messages that match and show some."""
        if body.dry_run:
            response.status_code = 200
            return await look(principal, body)
        made = await start(principal, body)
        response.headers["Location"] = f"/v1/replays/{made['id']}"
        return made

    @router.get("/v1/replays", responses={200: {"model": Page[ReplaySummary]}})
    async def newest(
        principal: reader, limit: most = 50, cursor: Cursor | None = None
    ) -> dict[str, Any]:
        """The tenant's replays, newest first."""
        after = decoded_place(cursor)
        async with transactions(principal.tenant) as tx:
            rows = await store.page(tx, after, limit + 1)
        return page(rows, limit=limit, sorted_by=("created_at", "id"))

    @router.get("/v1/replays/{replay_id}", responses={200: {"model": ReplayDetails}})
    async def one(
        replay_id: UUID,
        principal: reader,
        state: ItemState | None = None,
        limit: most = 50,
        cursor: Annotated[int, Query(ge=0)] = 0,
    ) -> dict[str, Any]:
        """One replay: how far it is, the outcomes counted, and a page of its messages."""
        async with transactions(principal.tenant) as tx:
            found = await _known(tx, replay_id)
            items = await store.items(tx, replay_id, state, cursor, limit + 1)
        more = items[limit - 1]["place"] if len(items) > limit else None
        return {**found, "items": [dict(item) for item in items[:limit]], "next_cursor": more}

    @router.post("/v1/replays/{replay_id}/cancel", responses={200: {"model": Replay}})
    async def cancel(replay_id: UUID, principal: writer) -> dict[str, Any]:
        """Skip its pending messages. What was applied stays applied.

        A replay that has ended is not changed.
        """
        async with transactions(principal.tenant) as tx:
            await store.cancel(tx, replay_id, actor_label(principal))
            return await _known(tx, replay_id)

    @router.post(
        "/v1/requests/{request_id}/replay",
        status_code=202,
        tags=["requests"],
        responses={202: {"model": Replay}},
    )
    async def again(
        request_id: UUID, principal: writer, response: Response, body: ReplayRequest | None = None
    ) -> dict[str, Any]:
        """Handle one request once more, under its source's mapping as it is now.

        Never a second effect.
        """
        reason = None if body is None else body.reason
        asked = NewReplay(kind="requests", filter={"ids": [str(request_id)]}, reason=reason)
        made = await start(principal, asked)
        response.headers["Location"] = f"/v1/replays/{made['id']}"
        return made

    return router


async def _known(tx: "AsyncConnection", replay_id: UUID) -> dict[str, Any]:
    found = await store.one(tx, replay_id)
    if found is None:
        raise Refusal("not_found", "There is no such replay.")
    open_items = found["counts"]["pending"]
    done = 1.0 if not found["matched"] else (found["matched"] - open_items) / found["matched"]
    return {**found, "progress": done}


async def _letters(
    tx: "AsyncConnection", choice: DeadLetterChoice, consumers: Collection[str]
) -> Sequence[Target]:
    rows = await letters.take_up(tx, choice.letters(), MOST_ITEMS + 1, _among(choice, consumers))
    check_consumers({row["consumer"] for row in rows}, consumers)
    return [Target(row["id"], row["event_id"], row["consumer"]) for row in rows]


def _among(choice: DeadLetterChoice, consumers: Collection[str]) -> Collection[str] | None:
    """Those that replay.

    Of letters named one by one all are looked at, so that it can be said why not.
    """
    if choice.consumer is not None:
        check_consumers([choice.consumer], consumers)
    return None if choice.ids else consumers
