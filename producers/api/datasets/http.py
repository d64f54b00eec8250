"""`POST /v1/datasets`: a file goes to the object store, then one event asks for its validation."""

import hashlib
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from difflib import get_close_matches
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response, Security

from producers.access.http import Authenticate
from producers.access.principal import Principal
from producers.api.command import Commands, Started
from producers.api.datasets.reading import PARAMETERS, reading_of
from producers.api.upload import Multipart, inflating, limited
from producers.content_encoding import coding_of
from producers.idempotency.executor import Answer, Execution
from producers.idempotency.http import IdempotencyKey, answered
from producers.outbox.ports import NotStorable
from producers.ports import Objects
from schemas.datasets import DatasetSubmitted
from schemas.errors import Refusal
from schemas.permissions import Permission

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")
TYPES = ("text/csv", "application/csv", "application/octet-stream")
NAMED = {"pattern": f"^{NAME.pattern}$"}
FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", **NAMED},
        "file": {"type": "string", "format": "binary"},
        "missing": {"type": "string"},
        "types": {"type": "string"},
        "forget": {"type": "boolean"},
    },
    "required": ["name", "file"],
}
FIELDS = ("name", "file", *PARAMETERS)
Missing = Annotated[
    list[str] | None,
    Query(
        description="Words that mean an empty cell, as a comma list, a JSON list, or repeated; "
        "remembered for the name. Only these, and the empty cell, are missing then."
    ),
]
Types = Annotated[
    list[str] | None,
    Query(
        description="Types of columns, as `zip:text,price:number`, a JSON object, or repeated; "
        "`integer`, `number`, `boolean` or `text`; remembered for the name."
    ),
]
Forget = Annotated[
    bool,
    Query(description="true: read it without what earlier uploads of the name said; forget that."),
]
BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {"schema": FORM},
        **{kind: {"schema": {"type": "string"}} for kind in TYPES},
    },
}
"""The body as the OpenAPI document has it: it is read as it streams, not by FastAPI."""


def routes(
    authenticate: Authenticate, commands: Commands, objects: Objects, *, max_bytes: int
) -> APIRouter:
    """The route that uploads a dataset."""
    router = APIRouter(prefix="/v1/datasets", tags=["datasets"])
    asking = Annotated[Principal, Security(authenticate, scopes=[Permission.DATASETS_WRITE])]

    @router.post(
        "",
        status_code=202,
        responses={202: {"model": Started}},
        openapi_extra={"requestBody": BODY},
    )
    async def submit(
        request: Request,
        response: Response,
        principal: asking,
        key: IdempotencyKey,
        name: Annotated[str | None, Query(max_length=100, json_schema_extra=NAMED)] = None,
        missing: Missing = None,
        types: Types = None,
        forget: Forget = False,
    ) -> dict[str, Any]:
        """Upload CSV: multipart (`name`, `file`), or the raw body with `?name=`."""
        given = {"missing": missing, "types": types, "forget": ["true"] if forget else None}
        said = {name: values for name, values in given.items() if values is not None}
        upload = _Upload(request, name, said, max_bytes)

        async def run(turn: Execution) -> Answer:
            dataset_id = turn.new_id("dataset")
            # Two runs under one key never write the same object: the slower one must not replace
            # the file of the other.
            file = "data" if turn.attempt is None else turn.attempt
            where = f"tenants/{principal.tenant}/datasets/{dataset_id}/{file}.csv"
            stored = await objects.put(where, upload.chunks(), upload.size_bytes)
            try:
                if stored.size_bytes == 0:
                    raise Refusal("empty_file", "The file is empty.")
                return await commands.send(
                    turn,
                    DatasetSubmitted(
                        dataset_id=dataset_id,
                        name=_check(upload.name),
                        object_key=where,
                        size_bytes=stored.size_bytes,
                        sha256=stored.sha256,
                        content_type=upload.kind,
                        reading=upload.reading,
                    ),
                    tenant=principal.tenant,
                    subject=dataset_id,
                    route="datasets",
                    traceparent=request.state.traceparent,
                    state="submitted",
                    body=upload.same(stored.sha256),
                )
            except (Refusal, NotStorable):  # else it may be accepted all the same
                with suppress(Exception):  # the sweeper comes by
                    await objects.delete(where)
                raise

        async def read() -> bytes:
            digest = hashlib.sha256()
            async for chunk in upload.chunks():
                digest.update(chunk)
            return upload.same(digest.hexdigest())

        return await answered(commands.once, request, response, principal, key, run, streamed=read)

    return router


class _Upload:
    """A file that comes in as a form or as the body.

    `name`, `kind` and `reading` are whole when its chunks have ended.
    """

    def __init__(
        self, request: Request, name: str | None, said: dict[str, list[str]], max_bytes: int
    ) -> None:
        content_type = request.headers.get("content-type", "")
        self.name = name
        self._said = said
        self.reading = reading_of(said)
        self.kind = content_type.split(";")[0].strip().lower()
        announced = request.headers.get("content-length", "")
        self.size_bytes = min(int(announced), max_bytes) if announced.isdigit() else None
        self._form: Multipart | None = None
        self._chunks = limited(request.stream(), max_bytes)
        coding = coding_of(",".join(request.headers.getlist("content-encoding")))
        if coding is not None:
            self.size_bytes = None
            self._chunks = inflating(self._chunks, coding, max_bytes)
        if self.kind == "multipart/form-data":
            self._form = Multipart(content_type, self._chunks)
        elif self.kind in TYPES:
            _check(name)
        else:
            raise Refusal(
                "unsupported_media_type",
                "Send multipart/form-data with name and file, or text/csv with ?name=.",
                accepted=["multipart/form-data", *TYPES],
            )

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks if self._form is None else self._form.file():
            yield chunk
        if self._form is not None:
            self.name, self.kind = self._form.fields.get("name", self.name), "text/csv"
            self._check_fields(self._form.values)
            self.reading = reading_of({**self._said, **self._form.values})

    def _check_fields(self, fields: Iterable[str]) -> None:
        for field in fields:
            if field not in FIELDS:
                near = get_close_matches(field[:100], FIELDS, 1, 0.5)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise Refusal(
                    "unknown_parameter",
                    f"The form has a field {field[:100]!r} that is not known{hint}; known: "
                    f"{', '.join(FIELDS)}.",
                    parameter=field[:100],
                    known=[*FIELDS],
                )

    def same(self, sha256: str) -> bytes:
        """What makes another upload the same as this one."""
        said = "" if self.reading is None else f"\n{self.reading.model_dump_json()}"
        return f"{self.name}\n{sha256}{said}".encode()


def _check(name: str | None) -> str:
    if name is None or not NAME.fullmatch(name):
        raise Refusal(
            "invalid_name",
            "A dataset needs a name: up to 100 letters, digits, spaces, dots, dashes and "
            "underscores, "
            "in the form field name or as ?name=.",
        )
    return name
