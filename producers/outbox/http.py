"""`GET /v1/events`: a tenant's own event log, by cursor; at its end a reader may wait for more."""

import asyncio
import contextlib
import re
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response, Security
from pydantic_core import to_json

from producers.access.http import Authenticate
from producers.access.principal import Principal
from producers.outbox import store
from producers.outbox.log_tail import LogTail
from producers.outbox.responses import EventPage
from schemas.cursor import decoded, encoded
from schemas.errors import Refusal
from schemas.permissions import Permission
from schemas.ports import TenantTransactions
from schemas.types import Cursor, Dotted, Moment

MOST_WAIT_SECONDS = 30
LOOK_UP_SECONDS = 0.5
WAIT = re.compile(r'(?:^|[\s,;])wait="?(\d{1,9})')


def routes(
    authenticate: Authenticate, transactions: TenantTransactions, following: LogTail
) -> APIRouter:
    """The routes that read the log."""
    router = APIRouter(prefix="/v1/events", tags=["events"])
    asking = Annotated[Principal, Security(authenticate, scopes=[Permission.EVENTS_READ])]

    @router.get("", response_class=Response, responses={200: {"model": EventPage}})
    async def read(
        request: Request,
        principal: asking,
        cursor: Annotated[
            Cursor | None, Query(description="`next_cursor`, or `latest`: from now.")
        ] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        order: Literal["asc", "desc"] = "asc",
        topic: Dotted | None = None,
        type: Dotted | None = None,
        source: Annotated[UUID | None, Query(description="A source's id: its webhooks.")] = None,
        correlation: UUID | None = None,
        since: Annotated[Moment | None, Query(alias="from")] = None,
        to: Moment | None = None,
        prefer: Annotated[
            str | None, Header(description="`wait=N`: up to 30 s for more, at the log's end.")
        ] = None,
    ) -> Response:
        """Events as they are on Kafka, oldest first. No event is skipped, however late it is
        committed.

        Continue with `next_cursor`; a page may be short, or empty, while `has_more` is true.
        """
        given = {
            "topic": topic,
            "type": type,
            "source": source and str(source),
            "correlation": correlation,
            "from": since,
            "to": to,
        }
        filters = {name: value for name, value in given.items() if value is not None}
        seconds = _seconds(prefer) if order == "asc" else 0
        place = None if cursor in (None, "latest") else _place(cursor, order)
        deadline = asyncio.get_running_loop().time() + seconds
        with (
            following.listening(principal.tenant)
            if seconds
            else contextlib.nullcontext(asyncio.Event()) as more
        ):
            while True:
                more.clear()
                settled = await following.settled()
                if place is None:
                    place = settled if order == "desc" or cursor == "latest" else 0
                # A place that another process gave is settled too, though it may be past what this
                # one knows.
                until = place if order == "desc" else max(place, settled)
                after = 0 if order == "desc" else place
                async with transactions(principal.tenant) as tx:
                    page = await store.page(
                        tx,
                        store.Asked(
                            principal.tenant, after, until, limit, order == "desc", filters
                        ),
                    )
                left = deadline - asyncio.get_running_loop().time()
                if page.values or page.more or left <= 0 or following.stopping.is_set():
                    return _answer(page, order, seconds)
                place = page.reached
                while left > 0 and not more.is_set() and not await request.is_disconnected():
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(min(left, LOOK_UP_SECONDS)):
                            await more.wait()
                    left = deadline - asyncio.get_running_loop().time()
                if left > 0 and not more.is_set():
                    return _answer(page, order, seconds)  # nobody hears it

    return router


def _place(cursor: str, order: str) -> int:
    given, place = decoded(cursor, str, int)
    if given != order or not 0 <= place < 1 << 63:
        raise Refusal("invalid_cursor", f"This cursor is not of a list with order={order}.")
    return int(place)


def _seconds(prefer: str | None) -> int:
    found = WAIT.search(prefer or "")
    return 0 if found is None else min(int(found[1]), MOST_WAIT_SECONDS)


def _answer(page: store.Page, order: str, waited: int) -> Response:
    # Forwards there is always a place to go on from; backwards the beginning is the end.
    go_on = (
        encoded(order, page.reached - (order == "desc")) if page.more or order == "asc" else None
    )
    tail = to_json({"next_cursor": go_on, "has_more": page.more, "position": None})
    content = b'{"data":[' + b",".join(page.values) + b"]," + tail[1:]
    headers = {"Preference-Applied": f"wait={waited}"} if waited else None
    return Response(content, media_type="application/json", headers=headers)
