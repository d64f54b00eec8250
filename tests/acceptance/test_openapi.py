"""The OpenAPI document: what every route answers, and which permission it needs."""

from collections.abc import Iterator
from typing import Any

from compose.settings import Settings
from schemas.permissions import Permission
from tests.acceptance.world import api_only

PUBLIC = {"/hooks/{source_id}", "/healthz", "/readyz", "/metrics", "/asyncapi.json"}


async def test_every_route_declares_what_it_answers_and_which_permission_it_needs(
    database_settings: Settings,
) -> None:
    async with api_only(database_settings) as world:
        document = await world.get("/openapi.json")
    needed: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            call = f"{method} {path}"
            _check_answers(call, operation["responses"])
            needed[call] = [
                one for shown in operation.get("security", ()) for one in shown["api_key"]
            ]
            assert len(needed[call]) == (path not in PUBLIC), call
            reads = method == "get" or path.endswith("/dry-run")
            assert path in PUBLIC or needed[call][0].endswith(":read" if reads else ":write"), call
    # Generators of clients drop a call whose body has a union with a default.
    assert not (found := list(_with_a_default(document))), found
    assert {one for named in needed.values() for one in named} == {str(one) for one in Permission}


def _check_answers(call: str, answers: dict[str, Any]) -> None:
    assert {"4XX", "5XX"} <= answers.keys(), call
    for status, answer in answers.items():
        content = answer.get("content", {})
        if status in ("4XX", "5XX"):
            problem = {"$ref": "#/components/schemas/Problem"}
            assert content == {"application/json": {"schema": problem}}, call
        elif status not in ("204", "304"):
            assert content, call
            for media_type, said in content.items():
                typed = media_type != "application/json" or "$ref" in said["schema"]
                assert typed or call == "get /asyncapi.json", call


def _with_a_default(part: Any, where: str = "") -> Iterator[str]:
    if isinstance(part, dict):
        if part.keys() & {"anyOf", "oneOf", "$ref"} and part.get("default") is not None:
            yield where
        for name, inner in part.items():
            yield from _with_a_default(inner, f"{where}.{name}")
    elif isinstance(part, list):
        for number, inner in enumerate(part):
            yield from _with_a_default(inner, f"{where}[{number}]")
