"""The comparison of answers with the document: it fails where one is not as declared."""

from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from compose.http.app import Traced, application
from schemas.page import Page
from tests.declared import Declared

WHOLE: dict[str, Any] = {"number": 1, "inner": {"text": "a"}}


class Inner(BaseModel):
    text: str


class Shown(BaseModel):
    number: int
    inner: Inner | None
    note: str | None = None


async def document() -> dict[str, Any]:
    router = APIRouter()

    @router.get("/one", responses={200: {"model": Shown}})
    @router.get("/page", responses={200: {"model": Page[Shown]}})
    async def given() -> dict[str, Any]:
        return WHOLE

    app = application([router])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Traced(app, app))) as client:
        found: dict[str, Any] = (await client.get("http://test/openapi.json")).json()
    return found


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (WHOLE, False),
        ({**WHOLE, "note": "more"}, False),
        ({**WHOLE, "inner": None}, False),
        ({**WHOLE, "unknown": 1}, True),
        ({"number": 1}, True),
        ({**WHOLE, "inner": {"text": "a", "unknown": 1}}, True),
        ({**WHOLE, "number": "1"}, True),
    ],
)
async def test_an_answer_has_the_declared_fields_and_no_other(answer: Any, wrong: bool) -> None:
    declared = Declared(await document())
    content = JSONResponse(answer).body
    assert bool([*declared.errors("GET", "/one", 200, "application/json", bytes(content))]) is wrong
    listed = JSONResponse({"data": [answer], "next_cursor": None, "position": None}).body
    assert bool([*declared.errors("GET", "/page", 200, "application/json", bytes(listed))]) is wrong


async def test_a_status_or_a_type_that_is_not_declared_fails() -> None:
    declared = Declared(await document())
    content = bytes(JSONResponse(WHOLE).body)
    assert [*declared.errors("GET", "/one", 201, "application/json", content)]
    assert [*declared.errors("GET", "/one", 200, "text/plain", content)]
    assert [*declared.errors("GET", "/one", 404, "application/json", content)]
    assert [*declared.errors("GET", "/nowhere", 404, "application/json", content)]


async def test_the_document_has_the_model_alone() -> None:
    answers = (await document())["paths"]["/page"]["get"]["responses"]
    assert answers["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Page_Shown_"
    }
