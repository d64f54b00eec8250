"""`GET /v1/models`: models, their versions, and the files of a version."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response, Security
from fastapi.responses import StreamingResponse

from consumers.finalization import store
from consumers.finalization.responses import (
    Model,
    ModelSummary,
    ModelVersion,
    ModelVersionSummary,
)
from consumers.ports import ObjectDamaged, ObjectMissing, OpenObject
from schemas.errors import Refusal
from schemas.page import Page, binary, page
from schemas.permissions import Permission
from schemas.ports import TenantTransactions

FILE = binary("The file.")
UNCHANGED = {"description": "The file has the ETag that `If-None-Match` names."}


def routes(
    authenticate: Callable[[Request], Awaitable[Any]],
    transactions: TenantTransactions,
    open_object: OpenObject,
) -> APIRouter:
    """List models and versions, get one, and get its files."""
    router = APIRouter(prefix="/v1/models", tags=["models"])
    asking = Annotated[Any, Security(authenticate, scopes=[Permission.MODELS_READ])]
    most = Annotated[int, Query(ge=1, le=200)]
    named = Annotated[str, Path(max_length=200, pattern=r"^[^\x00]+$")]
    numbered = Annotated[int, Path(ge=1, lt=1 << 31)]

    @router.get("", responses={200: {"model": Page[ModelSummary]}})
    async def lines(principal: asking, limit: most = 50) -> dict[str, Any]:
        """The tenant's models with their newest version."""
        async with transactions(principal.tenant) as tx:
            rows = await store.lines(tx, limit)
        return page([store.shown(row) for row in rows])

    @router.get("/{name}", responses={200: {"model": Model}})
    async def line(name: named, principal: asking) -> dict[str, Any]:
        """One model: its newest version, and how many there are."""
        async with transactions(principal.tenant) as tx:
            rows = await store.versions(tx, name, 1)
        if not rows:
            raise Refusal("not_found", "There is no such model.")
        return {"name": name, "versions": rows[0]["version"], "latest": store.shown(rows[0])}

    @router.get("/{name}/versions", responses={200: {"model": Page[ModelVersionSummary]}})
    async def versions(name: named, principal: asking, limit: most = 50) -> dict[str, Any]:
        """The versions of a model, newest first.

        Details, plan and files are those of one by its number.
        """
        async with transactions(principal.tenant) as tx:
            rows = await store.listed(tx, name, limit)
        if not rows:
            raise Refusal("not_found", "There is no such model.")
        return page([store.shown(row) for row in rows])

    @router.get(
        "/{name}/versions/{number}/files/{file}",
        response_class=Response,
        responses={200: FILE, 304: UNCHANGED},
    )
    async def file_of(
        name: named,
        number: numbered,
        principal: asking,
        file: Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")],
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """One file of a version, checked against its size and SHA-256, which is its ETag.

        410 `file_gone` when it is not kept any more, `file_damaged` when it is not what was stored.
        """
        async with transactions(principal.tenant) as tx:
            row = await store.version(tx, name, number)
        artifact = row["artifacts"].get(file) if row else None
        if artifact is None:
            raise Refusal("not_found", "There is no such model version, or it has no such file.")
        return await _sent(open_object, file, artifact, if_none_match)

    @router.get("/{name}/versions/{number}", responses={200: {"model": ModelVersion}})
    async def version(name: named, number: numbered, principal: asking) -> dict[str, Any]:
        """One version: metrics, baseline, lineage, plan, files."""
        async with transactions(principal.tenant) as tx:
            row = await store.version(tx, name, number)
        if row is None:
            raise Refusal("not_found", "There is no such model version.")
        return store.shown(row)

    return router


async def _sent(
    open_object: OpenObject, file: str, artifact: dict[str, Any], if_none_match: str | None
) -> Response:
    size, sha256 = artifact["size_bytes"], artifact["sha256"]
    etag = f'"{sha256}"'
    if if_none_match and any(
        one.strip().removeprefix("W/") in (etag, "*") for one in if_none_match.split(",")
    ):
        return Response(status_code=304, headers={"ETag": etag})
    try:
        chunks = await open_object(artifact["object_key"], size_bytes=size, sha256=sha256)
    except ObjectMissing:
        raise Refusal(
            "file_gone", f"The file {file} of this version is not kept any more."
        ) from None
    except ObjectDamaged:
        raise Refusal(
            "file_damaged", f"The file {file} of this version is not what was stored."
        ) from None
    media_type = "application/json" if file.endswith(".json") else "application/octet-stream"
    headers = {
        "Content-Length": str(size),
        "ETag": etag,
        "Content-Disposition": f'attachment; filename="{file}"',
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(chunks, headers=headers, media_type=media_type)
