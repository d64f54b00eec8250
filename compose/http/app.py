"""The HTTP edge: where refusals become statuses, and every answer gets its trace."""

import logging
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from compose.documented import Documented
from compose.failures import is_transient
from compose.http.call_names import named
from compose.http.docs_page import docs_page
from compose.http.known_names import refuse_unknown_parameters, unknown_field
from producers.outbox.ports import NotStorable, Unavailable
from schemas.errors import UNEXPECTED, Problem, Refusal
from schemas.trace import trace_id, traceparent_of

log = logging.getLogger(__name__)

STATUS = {
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "dataset_not_found": 404,
    "name_taken": 409,
    "model_mismatch": 409,
    "job_ended": 409,
    "more_matched": 409,
    "already_applied": 409,
    "changed_meanwhile": 412,
    "expected_required": 422,
    "invalid_cursor": 422,
    "invalid_filter": 422,
    "not_replayable": 422,
    "too_many_matched": 422,
    "invalid_options": 422,
    "unmappable": 422,
    "unknown_parameter": 422,
    "body_too_slow": 408,
    "body_too_large": 413,
    "event_too_large": 422,
    "unsupported_media_type": 415,
    "unsupported_content_encoding": 415,
    "invalid_content_encoding": 400,
    "empty_file": 422,
    "invalid_multipart": 422,
    "invalid_name": 422,
    "invalid_reading": 422,
    "invalid_secret": 422,
    "missing_file": 422,
    "body_gone": 410,
    "file_gone": 410,
    "file_damaged": 410,
    "quota_exceeded": 429,
    "invalid_idempotency_key": 400,
    "idempotency_key_reused": 422,
    "idempotency_key_running": 409,
}
"""The HTTP status of every code of a Refusal; a test asks that each code in use is here."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


def application(routers: list[APIRouter], called_at: str | None = None) -> FastAPI:
    """The FastAPI application with our one error shape.

    Its document names where others call it, if that is given.
    """
    app = Documented(
        title="Headrace",
        summary="Webhooks in; models, trends and usage out.",
        version="0.1.0",
        servers=None if called_at is None else [{"url": called_at}],
        docs_url=None,
        redoc_url=None,
        responses={"4XX": {"model": Problem}, "5XX": {"model": Problem}},
        dependencies=[Depends(refuse_unknown_parameters)],
    )
    for router in named([*routers, docs_page(app.title)]):
        app.include_router(router)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Unavailable, _unavailable)
    app.add_exception_handler(NotStorable, _not_storable)
    app.add_exception_handler(Exception, _broken)
    return app


class Traced:
    """Gives each request a trace, and each answer `X-Request-Id`.

    The hot route is dispatched before FastAPI.
    """

    def __init__(self, ingress: Asgi, app: Asgi) -> None:
        self._ingress = ingress
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if scope["path"].startswith("/hooks/"):
            return await self._ingress(scope, receive, send)
        given = next(
            (value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"),
            None,
        )
        traceparent = traceparent_of(given, os.urandom(24))
        scope.setdefault("state", {})["traceparent"] = traceparent
        request_id = trace_id(traceparent).encode()

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id),
                    *scope["state"].get("rate_headers", ()),
                ]
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            pass  # nobody waits for an answer
        except Exception as error:
            # Answered already by `_broken`; raised once more only to be logged. The connection can
            # be used again.
            where = f"{scope['method']} {scope['path']}"
            if is_transient(error):
                log.warning("%s: %s", where, error, extra={"trace_id": trace_id(traceparent)})
            else:
                log.exception("%s failed unexpectedly, trace %s", where, trace_id(traceparent))


def _problem(
    request: Request, status: int, code: str, message: str, details: Any = None
) -> JSONResponse:
    trace = trace_id(request.state.traceparent)
    problem = Problem(code=code, message=message, trace_id=trace, details=details or {})
    headers = {"Retry-After": "1"} if status == 503 else None
    return JSONResponse(problem.model_dump(mode="json"), status, headers)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    answer = _problem(request, STATUS[error.code], error.code, error.message, error.details)
    if "retry_after_seconds" in error.details:
        answer.headers["Retry-After"] = str(error.details["retry_after_seconds"])
    return answer


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    route = request.scope.get("route")
    found = [
        {"where": ".".join(map(str, one["loc"])), "message": _said(route, one)}
        for one in error.errors()[:20]
    ]
    message = "; ".join(f"{one['where']}: {one['message']}" for one in found[:3])
    return _problem(request, 422, "invalid_request", message, {"errors": found})


def _said(route: object, error: dict[str, Any]) -> str:
    """What is wrong with one place of a request."""
    place = error["loc"]
    if error["type"] == "extra_forbidden" and place[0] == "body":
        return unknown_field(route, place[1:])
    return str(error["msg"])


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if (
        error.status_code == 400
    ):  # FastAPI's word for a body that its JSON parser gave up on, such as one too deep
        found = [{"where": "body", "message": str(error.detail)}]
        return _problem(request, 422, "invalid_request", f"body: {error.detail}", {"errors": found})
    codes = {404: "not_found", 405: "method_not_allowed"}
    answer = _problem(
        request, error.status_code, codes.get(error.status_code, "http_error"), str(error.detail)
    )
    if error.status_code == 405:
        answer.headers["Allow"] = ", ".join(sorted(_methods(request)))
    return answer


def _methods(request: Request) -> set[str]:
    """What this path takes: each route alone knows only its own method."""
    return {
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    }


async def _unavailable(request: Request, _error: Exception) -> JSONResponse:
    return _problem(request, 503, "unavailable", "Not stored. Send it again in a moment.")


async def _not_storable(request: Request, _error: Exception) -> JSONResponse:
    return _problem(request, 400, "not_storable", "This content cannot be stored.")


async def _broken(request: Request, error: Exception) -> JSONResponse:
    if is_transient(error):
        return _problem(
            request, 503, "unavailable", "What this needs does not answer. Try again in a moment."
        )
    return _problem(request, 500, "internal", UNEXPECTED)
