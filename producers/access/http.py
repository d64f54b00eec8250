"""`Authorization: Bearer hr_…` becomes a principal, or a 401."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from producers.access.keys import KEY, PREFIX, hash_of
from producers.access.principal import Principal
from schemas.errors import Refusal

# Says in the OpenAPI document that a key is to be shown; what is not one is refused below, in our
# own words.
SHOWN = HTTPBearer(auto_error=False, scheme_name="api_key", description="An API key: hr_…")
NO_PERMISSION = SecurityScopes()
Authenticate = Callable[[Request], Awaitable[Principal]]


Whose = Callable[[str], Awaitable[Principal]]
"""Whom the value of an `Authorization` header speaks for; raises Refusal `unauthorized`."""


def whose_key(find: Callable[[bytes], Awaitable[Principal | None]]) -> Whose:
    """What finds a principal by a header; text that cannot be a key is never looked up."""

    async def whose(authorization: str) -> Principal:
        scheme, _, key = authorization.partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key.startswith(PREFIX):
            raise Refusal("unauthorized", "Show an API key: Authorization: Bearer hr_…")
        principal = await find(hash_of(key)) if KEY.fullmatch(key) else None
        if principal is None:
            raise Refusal("unauthorized", "This API key is unknown or revoked.")
        return principal

    return whose


def authentication(whose: Whose) -> Authenticate:
    """A dependency for routes: who asks, which admission has found already, with the permission
    of the route.

    Raises Refusal `unauthorized` or `forbidden`.
    """

    async def authenticate(
        request: Request,
        needed: SecurityScopes = NO_PERMISSION,
        _shown: Annotated[HTTPAuthorizationCredentials | None, Depends(SHOWN)] = None,
    ) -> Principal:
        known: Principal | None = getattr(request.state, "principal", None)
        principal = known or await whose(request.headers.get("authorization", ""))
        if missing := sorted(set(needed.scopes) - principal.permissions):
            message = f"This API key has no permission {missing[0]}."
            raise Refusal("forbidden", message, permission=missing[0])
        return principal

    return authenticate
