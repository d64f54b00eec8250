"""Every answer is compared with the OpenAPI document: unknown and missing fields fail."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Any

import httpx
from jsonschema_rs import Validator, validator_for

METHODS = ("get", "post", "put", "patch", "delete")
DOCUMENTS: "list[Declared]" = []


class Declared:
    """What a document says of each answer; an object has the declared fields and no other."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._components = document["components"]
        for schema in self._components["schemas"].values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)
        literal_first = sorted(document["paths"], key=lambda path: path.count("{"))
        self._routes = [
            (re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path)), document["paths"][path])
            for path in literal_first
        ]
        self._validator = cache(self._made)

    def errors(
        self, method: str, path: str, status: int, media_type: str, content: bytes
    ) -> Iterator[str]:
        """Yield what is wrong with an answer; one that no route made is a problem, or no JSON."""
        operation = self._operation(method, path)
        if operation is None:
            if status >= 400 and media_type == "application/json":
                yield from self._against("Problem", content)
            return
        said = operation["responses"]
        answer = said.get(str(status)) or said.get(f"{status // 100}XX")
        if answer is None:
            yield f"the status {status} is not declared"
        elif not answer.get("content"):
            yield from ["a body is not declared"] if content else []
        elif media_type not in answer["content"]:
            yield from (
                [] if "*/*" in answer["content"] else [f"the type {media_type!r} is not declared"]
            )
        elif "$ref" in answer["content"][media_type].get("schema", {}):
            yield from self._against(
                answer["content"][media_type]["schema"]["$ref"].split("/")[-1], content
            )

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        found = (
            operations[method.lower()]
            for pattern, operations in self._routes
            if method.lower() in operations and pattern.fullmatch(path)
        )
        return next(found, None)

    def _against(self, name: str, content: bytes) -> Iterator[str]:
        for error in self._validator(name).iter_errors(json.loads(content)):
            yield f"{'.'.join(map(str, error.instance_path)) or name}: {error.message}"

    def _made(self, name: str) -> Validator:
        schema = {"$ref": f"#/components/schemas/{name}", "components": self._components}
        return validator_for(schema, validate_formats=True)


def compared(
    transport: httpx.AsyncBaseTransport | None = None,
) -> Callable[[httpx.Response], Awaitable[None]]:
    """A hook of a client that compares every answer; the document is read once for all."""

    async def compare(response: httpx.Response) -> None:
        if not DOCUMENTS:
            at = response.request.url.copy_with(raw_path=b"/openapi.json")
            async with httpx.AsyncClient(transport=transport) as client:
                DOCUMENTS.append(Declared((await client.get(at)).json()))
        request, content = response.request, await response.aread()
        if response.is_redirect:
            return
        path = request.url.raw_path.decode().split("?")[0]
        media_type = response.headers.get("content-type", "").split(";")[0]
        wrong = list(
            DOCUMENTS[0].errors(request.method, path, response.status_code, media_type, content)
        )
        assert not wrong, f"{request.method} {path} {response.status_code}: {wrong[:5]}"

    return compare
