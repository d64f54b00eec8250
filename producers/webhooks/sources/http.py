"""`/v1/sources`: configuration, decided at once."""

import json
import secrets
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response, Security

from producers.access.http import Authenticate
from producers.access.principal import Principal
from producers.idempotency.executor import Answer, Execution, IdempotentExecutor
from producers.idempotency.http import IdempotencyKey, answered
from producers.webhooks.sources import store
from producers.webhooks.sources.ports import Preview, Sealer
from producers.webhooks.sources.responses import DryRunResult, RotatedSource, ShownSource
from producers.webhooks.sources.source import (
    ChangedSource,
    DryRun,
    NewSource,
    Rotation,
    checked_options,
    checked_secret,
    shown_secret,
)
from schemas.cursor import decoded_place
from schemas.errors import Refusal
from schemas.page import Page, page
from schemas.permissions import Permission
from schemas.ports import Clock, TenantTransactions
from schemas.types import Cursor


def routes(
    authenticate: Authenticate,
    transactions: TenantTransactions,
    clock: Clock,
    once: IdempotentExecutor,
    sealer: Sealer,
    preview: Preview,
    api_url: str,
) -> APIRouter:
    """Create, list, get, change, pause, delete, rotate the secret, and try a payload."""
    router = APIRouter(prefix="/v1/sources", tags=["sources"])
    reader = Annotated[Principal, Security(authenticate, scopes=[Permission.SOURCES_READ])]
    writer = Annotated[Principal, Security(authenticate, scopes=[Permission.SOURCES_WRITE])]
    match = Annotated[
        str | None, Header(alias="If-Match", description="The ETag that the change is based on.")
    ]

    def shown(row: Any, response: Response) -> dict[str, Any]:
        response.headers["ETag"] = f'"{row["version"]}"'
        return {**row, "url": f"{api_url}/hooks/{row['id']}"}

    @router.post("", status_code=201, responses={201: {"model": ShownSource}})
    async def create(
        body: NewSource,
        request: Request,
        principal: writer,
        response: Response,
        key: IdempotencyKey,
    ) -> dict[str, Any]:
        """Create a source. Its secret is in this answer and never again.

        Give one to keep an existing one.
        """

        async def run(turn: Execution) -> Answer:
            source_id = turn.new_id("source")
            secret, kept = checked_secret(body.scheme, body.secret, secrets.token_bytes(32))
            new = store.NewRow(
                principal.tenant,
                source_id,
                clock.new_id(),
                body.name,
                body.scheme,
                checked_options(body.scheme, body.options),
                body.action.model_dump(mode="json", exclude_none=True),
                sealer.seal(kept, principal.tenant, source_id),
            )
            try:
                async with transactions(principal.tenant) as tx:
                    row = await store.add(tx, new)
                    headers = {
                        "Location": f"/v1/sources/{source_id}",
                        "ETag": f'"{row["version"]}"',
                    }
                    answer = Answer(
                        201, {**shown(row, response), **shown_secret(body.scheme, secret)}, headers
                    )
                    await turn.finish(tx, answer)
            except store.NameTaken:
                raise _taken(body.name) from None
            return answer

        return await answered(once, request, response, principal, key, run)

    @router.get("", responses={200: {"model": Page[ShownSource]}})
    async def newest(
        principal: reader,
        cursor: Cursor | None = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        name: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
    ) -> dict[str, Any]:
        """The tenant's sources, newest first, without their secrets; or the one of a name."""
        async with transactions(principal.tenant) as tx:
            rows = await store.newest(tx, limit + 1, decoded_place(cursor), name)
        listed = [shown(row, Response()) for row in rows]
        return page(listed, limit=limit, sorted_by=("created_at", "id"))

    @router.get("/{source_id}", responses={200: {"model": ShownSource}})
    async def one(source_id: UUID, principal: reader, response: Response) -> dict[str, Any]:
        """One source, without its secret."""
        async with transactions(principal.tenant) as tx:
            return shown(_known(await store.one(tx, source_id)), response)

    @router.patch("/{source_id}", responses={200: {"model": ShownSource}})
    async def change(
        source_id: UUID,
        body: ChangedSource,
        principal: writer,
        response: Response,
        if_match: match = None,
    ) -> dict[str, Any]:
        """Change the name, the action, the scheme's options, or pause.

        Only if it is still as `If-Match` says.
        """
        # Only the top is what was sent: inside an action, what was left out is its default and
        # belongs to it.
        whole = body.model_dump(mode="json", exclude_none=True)
        changes = {name: value for name, value in whole.items() if name in body.model_fields_set}
        try:
            async with transactions(principal.tenant) as tx:
                before = _unchanged(await store.one(tx, source_id, lock=True), if_match)
                if "options" in changes:
                    changes["options"] = checked_options(before["scheme"], changes["options"])
                after = (
                    await store.change(tx, principal.tenant, before, changes) if changes else before
                )
        except store.NameTaken:
            raise _taken(body.name or "") from None
        return shown(after, response)

    @router.delete("/{source_id}", status_code=204)
    async def remove(source_id: UUID, principal: writer, if_match: match = None) -> None:
        """Delete a source; its URL answers 401 from the next second on.

        What it accepted is kept.
        """
        async with transactions(principal.tenant) as tx:
            _unchanged(await store.one(tx, source_id, lock=True), if_match)
            await store.remove(tx, source_id)

    @router.post("/{source_id}/rotate-secret", responses={200: {"model": RotatedSource}})
    async def rotate(
        source_id: UUID,
        request: Request,
        principal: writer,
        response: Response,
        key: IdempotencyKey,
        body: Rotation | None = None,
    ) -> dict[str, Any]:
        """A new secret, shown once.

        The old one is valid for `grace_seconds` more, so that no request is lost.
        """
        asked = body or Rotation()

        async def run(turn: Execution) -> Answer:
            async with transactions(principal.tenant) as tx:
                row = _known(await store.one(tx, source_id, lock=True))
                secret, kept = checked_secret(row["scheme"], asked.secret, secrets.token_bytes(32))
                ends = clock.now() + timedelta(seconds=asked.grace_seconds)
                await store.retire_secrets(tx, source_id, ends)
                sealed = sealer.seal(kept, principal.tenant, source_id)
                await store.add_secret(tx, principal.tenant, source_id, clock.new_id(), sealed)
                after = shown(await store.change(tx, principal.tenant, row, {}), response)
                after |= {
                    **shown_secret(row["scheme"], secret),
                    "previous_secret_ends_at": ends.isoformat(),
                }
                answer = Answer(200, after, {"ETag": response.headers["ETag"]})
                await turn.finish(tx, answer)
            return answer

        return await answered(once, request, response, principal, key, run)

    @router.post("/{source_id}/dry-run", responses={200: {"model": DryRunResult}})
    async def dry_run(source_id: UUID, body: DryRun, principal: reader) -> dict[str, Any]:
        """What a payload would become, under the source's action or another one, without doing
        it.
        """
        async with transactions(principal.tenant) as tx:
            row = _known(await store.one(tx, source_id))
        action = (
            row["action"]
            if body.action is None
            else body.action.model_dump(mode="json", exclude_none=True)
        )
        version = row["mapping_version"]
        try:
            becomes = await preview(
                principal.tenant, json.dumps(body.payload).encode(), action, version
            )
        except ValueError as error:
            raise Refusal("unmappable", str(error), mapping_version=version) from None
        return {"mapping_version": version, "becomes": becomes}

    return router


def _known(row: Any | None) -> Any:
    if row is None:
        raise Refusal("not_found", "There is no such source.")
    return row


def _unchanged(row: Any | None, if_match: str | None) -> Any:
    found = _known(row)
    if if_match not in (None, "*", f'"{found["version"]}"'):
        raise Refusal(
            "changed_meanwhile",
            "The source was changed meanwhile: get it again.",
            etag=f'"{found["version"]}"',
        )
    return found


def _taken(name: str) -> Refusal:
    return Refusal("name_taken", f"There is a source named {name!r} already.", name=name)
