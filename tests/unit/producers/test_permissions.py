"""A route names a permission: a key without it is refused."""

from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Security

from compose.http.app import Traced, application
from producers.access.http import authentication
from producers.access.principal import Principal
from schemas.permissions import ALL, Permission


@pytest.mark.parametrize(
    ("permissions", "status"),
    [(ALL, 200), (frozenset({Permission.JOBS_READ}), 200), (ALL - {Permission.JOBS_READ}, 403)],
)
async def test_a_key_without_the_permission_of_a_route_is_refused(
    permissions: frozenset[Permission], status: int
) -> None:
    async def whose(_authorization: str) -> Principal:
        return Principal(UUID(int=1), UUID(int=2), "test", permissions=permissions)

    router = APIRouter()
    needed = Security(authentication(whose), scopes=[Permission.JOBS_READ])

    @router.get("/jobs")
    async def jobs(principal: Annotated[Principal, needed]) -> str:
        return principal.key_name

    app = application([router])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Traced(app, app))) as client:
        answer = await client.get("http://test/jobs")
    assert answer.status_code == status
    if status == 403:
        said = answer.json()
        assert (said["code"], said["details"]) == ("forbidden", {"permission": "jobs:read"})
