"""`POST /v1/datasets`: a file goes to the object store, then one event asks for its validation."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from producers.access.http import Authenticate
from producers.access.principal import Principal
from producers.api.command import Commands, Started
from producers.api.upload import Multipart, limited
from producers.ports import Objects
from schemas.datasets import DatasetSubmitted
from schemas.errors import Refusal

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")
TYPES = ("text/csv", "application/csv", "application/octet-stream")
NAMED = {"pattern": f"^{NAME.pattern}$"}
FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", **NAMED}, "file": {"type": "string", "format": "binary"},
    },
    "required": ["name", "file"],
}  # fmt: skip
BODY = {
    "required": True,
    "content": {"multipart/form-data": {"schema": FORM}, **{kind: {"schema": {"type": "string"}} for kind in TYPES}},
}
"""The body as the OpenAPI document has it: it is read as it streams, not by FastAPI."""


def routes(authenticate: Authenticate, commands: Commands, objects: Objects, *, max_bytes: int) -> APIRouter:
    """Upload a data set."""
    router = APIRouter(prefix="/v1/datasets", tags=["datasets"])

    @router.post("", status_code=202, responses={202: {"model": Started}}, openapi_extra={"requestBody": BODY})
    async def submit(
        request: Request,
        response: Response,
        principal: Annotated[Principal, Depends(authenticate)],
        name: Annotated[str | None, Query(max_length=100, json_schema_extra=NAMED)] = None,
    ) -> dict[str, Any]:
        """Upload CSV: multipart (`name`, `file`), or the raw body with `?name=`."""
        content_type = request.headers.get("content-type", "")
        kind = content_type.split(";")[0].strip().lower()
        dataset_id = commands.clock.new_id()
        key = f"tenants/{principal.tenant}/datasets/{dataset_id}/data.csv"
        chunks = limited(request.stream(), max_bytes)
        if kind == "multipart/form-data":
            form = Multipart(content_type, chunks)
            stored = await objects.put(key, form.file())
            name, kind = form.fields.get("name", name), "text/csv"
        elif kind in TYPES:
            _check(name)
            stored = await objects.put(key, chunks)
        else:
            raise Refusal(
                "unsupported_media_type",
                "Send multipart/form-data with name and file, or text/csv with ?name=.",
                accepted=["multipart/form-data", *TYPES],
            )
        try:
            if stored.size_bytes == 0:
                raise Refusal("empty_file", "The file is empty.")
            position = await commands.send(
                DatasetSubmitted(
                    dataset_id=dataset_id, name=_check(name), object_key=key, size_bytes=stored.size_bytes,
                    sha256=stored.sha256, content_type=kind,
                ),
                tenant=principal.tenant, subject=dataset_id, route="datasets", traceparent=request.state.traceparent,
            )  # fmt: skip
        except Refusal:
            await objects.delete(key)
            raise
        response.headers["Location"] = f"/v1/datasets/{dataset_id}"
        response.headers["Headrace-Position"] = position
        return {"id": str(dataset_id), "state": "submitted"}

    return router


def _check(name: str | None) -> str:
    if name is None or not NAME.fullmatch(name):
        raise Refusal(
            "invalid_name",
            "A data set needs a name: up to 100 letters, digits, spaces, dots, dashes and underscores, "
            "in the form field name or as ?name=.",
        )
    return name
