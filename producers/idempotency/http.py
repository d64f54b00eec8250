"""`Idempotency-Key` on a route: the header in, the stored answer out."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response

from producers.access.principal import Principal
from producers.idempotency.executor import Answer, Body, Execution, IdempotentExecutor
from producers.idempotency.key import HEADER, Scope, checked_key

DESCRIPTION = (
    "Makes the request safe to repeat: for 24 hours the same key with the same body "
    "gets the same answer."
)
# Only documented here, not checked by FastAPI: what is wrong with a key has a code of its own.
WRITTEN = {"pattern": "^[!-~]{1,255}$"}


def _given(
    request: Request,
    _key: Annotated[
        str | None, Header(alias=HEADER, description=DESCRIPTION, json_schema_extra=WRITTEN)
    ] = None,
) -> str | None:
    return checked_key(request.headers.getlist(HEADER))


IdempotencyKey = Annotated[str | None, Depends(_given)]
Run = Callable[[Execution], Awaitable[Answer]]


async def answered(
    once: IdempotentExecutor,
    request: Request,
    response: Response,
    principal: Principal,
    key: str | None,
    run: Run,
    streamed: Body | None = None,
) -> dict[str, Any]:
    """Run the command or repeat its answer; `streamed` reads a body that the run would have read
    itself.
    """

    async def whole() -> bytes:
        return f"{request.url.path}?{request.url.query}\n".encode() + await request.body()

    route = f"{request.method} {request.scope['route'].path}"
    scope = None if key is None else Scope(principal.tenant, principal.key_id, route, key)
    answer = await once(scope, streamed or whole, run, streamed=streamed is not None)
    response.status_code = answer.status
    response.headers.update(answer.headers)
    if answer.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return answer.body
