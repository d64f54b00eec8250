"""`Authorization: Bearer hr_…` becomes a principal, or a 401."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from producers.access.keys import PREFIX, hash_of
from producers.access.principal import Principal
from schemas.errors import Refusal

# Says in the OpenAPI document that a key is to be shown; what is not one is refused below, in our own words.
SHOWN = HTTPBearer(auto_error=False, scheme_name="api_key", description="An API key: hr_…")
Authenticate = Callable[[Request], Awaitable[Principal]]


def authentication(find: Callable[[bytes], Awaitable[Principal | None]]) -> Authenticate:
    """A dependency for routes: who asks. Raises Refusal `unauthorized`."""

    async def authenticate(
        request: Request, _shown: Annotated[HTTPAuthorizationCredentials | None, Depends(SHOWN)] = None
    ) -> Principal:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key.startswith(PREFIX):
            raise Refusal("unauthorized", "Show an API key: Authorization: Bearer hr_…")
        principal = await find(hash_of(key))
        if principal is None:
            raise Refusal("unauthorized", "This API key is unknown or revoked.")
        return principal

    return authenticate
