"""The HTTP edge in-process: one error shape, a trace in every answer, nothing of the inside."""

import re
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from compose.http.app import STATUS, Traced, application
from producers.outbox.ports import NotStorable, Unavailable
from schemas.errors import Refusal

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
RAISED: dict[str, Exception] = {
    "unavailable": Unavailable("postgres://secret"),
    "not_storable": NotStorable("secret"),
    "internal": ZeroDivisionError("secret"),
    **{code: Refusal(code, "What to do.", hint=code) for code in STATUS},
}


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    number: int


def client() -> httpx.AsyncClient:
    router = APIRouter()

    @router.get("/raise/{code}")
    async def broken(code: str) -> None:
        raise RAISED[code]

    @router.post("/body")
    async def takes(body: Body) -> Body:
        return body

    async def door(scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    transport = httpx.ASGITransport(Traced(door, application([router])), raise_app_exceptions=False)
    return httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"traceparent": TRACE}
    )


@pytest.mark.parametrize("code", sorted(STATUS))
async def test_a_refusal_becomes_its_status(code: str) -> None:
    async with client() as asking:
        answer = await asking.get(f"/raise/{code}")
    assert answer.status_code == STATUS[code]
    assert answer.json() == {
        "code": code,
        "message": "What to do.",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "details": {"hint": code},
    }
    assert answer.headers["x-request-id"] == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("code", "status"), [("unavailable", 503), ("not_storable", 400), ("internal", 500)]
)
async def test_what_is_not_the_callers_fault_tells_nothing_of_the_inside(
    code: str, status: int
) -> None:
    async with client() as asking:
        answer = await asking.get(f"/raise/{code}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "secret" not in answer.text
    assert ("retry-after" in answer.headers) is (status == 503)


async def test_an_unknown_route_and_method_have_the_same_shape() -> None:
    async with client() as asking:
        missing, wrong = await asking.get("/nowhere"), await asking.get("/body")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"number": "x"}',
        b'{"number": 1, "other": 2}',
        b'{"number": "\\ud800"}',
        b'{"number": 1, "\\ud800": 2}',
        b'{"number": NaN}',
        b"\xff",
        b"[" * 100_000,
    ],
    ids=lambda one: repr(one[:30]),
)
async def test_a_body_that_does_not_fit_is_a_clear_error(body: bytes) -> None:
    async with client() as asking:
        answer = await asking.post(
            "/body", content=body, headers={"content-type": "application/json"}
        )
    assert answer.status_code in (400, 422)
    problem = answer.json()
    assert problem["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert problem["code"] in ("invalid_request", "http_error")


async def test_webhooks_do_not_pass_through_fastapi() -> None:
    async with client() as asking:
        answer = await asking.post("/hooks/x")
    assert (answer.status_code, answer.text) == (299, "/hooks/x")


async def test_a_caller_without_a_trace_gets_one() -> None:
    async with client() as asking:
        answers = [await asking.get("/nowhere", headers={"traceparent": "no"}) for _ in range(2)]
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert len(ids) == 2
    assert all(answer.json()["trace_id"] in ids for answer in answers)


async def test_the_document_says_what_this_is() -> None:
    async with client() as asking:
        document = (await asking.get("/openapi.json")).json()
    assert document["info"]["title"] == "Headrace"
    assert "Problem" in document["components"]["schemas"]
    assert not [path for path in document["paths"] if path.startswith("/docs")]


async def test_the_page_to_try_it_needs_no_other_server() -> None:
    async with client() as asking:
        page = await asking.get("/docs")
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
        answers = [await asking.get(f"/{name}") for name in loaded]
    assert not re.findall(r"https?://|//", re.sub(r"<!--.*?-->", "", page.text, flags=re.DOTALL))
    assert sorted(loaded) == [
        "docs/favicon-32x32.png",
        "docs/swagger-ui-bundle.js",
        "docs/swagger-ui.css",
    ]
    assert [one.status_code for one in answers] == [200, 200, 200]
    assert all(len(one.content) > 500 for one in answers)
    assert "url: 'openapi.json'" in page.text
