"""A route refuses what it does not know, wherever that is, and says which name is near."""

from typing import Annotated, Any, Literal

import httpx
import pytest
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from compose.http.app import Traced, application


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Filters(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    since: int | None = Field(None, alias="from")
    state: str | None = None


class Seal(Strict):
    every_rows: int = 1


class Rows(Strict):
    kind: Literal["rows"]
    seal: Seal = Seal()


class Command(Strict):
    kind: Literal["command"]
    command: Literal["train"] = "train"
    mapping: dict[str, str] = {}


class Source(Strict):
    name: str
    secret: str | None = None
    action: Annotated[Rows | Command, Field(discriminator="kind")]
    others: list[Seal] = []


def client() -> httpx.AsyncClient:
    router = APIRouter()

    async def paging(cursor: str | None = None) -> str | None:
        return cursor

    @router.get("/list/{place}")
    async def listed(
        place: str,
        filters: Annotated[Filters, Query()],
        page: Annotated[str | None, Depends(paging)] = None,
    ) -> list[Any]:
        return [place, filters.since, filters.state, page]

    @router.get("/one")
    async def one(limit: Annotated[int, Query(alias="most")] = 1) -> int:
        return limit

    @router.post("/sources")
    async def create(body: Source) -> str:
        return body.name

    app = application([router])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(Traced(app, app)), base_url="http://test"
    )


@pytest.mark.parametrize(
    ("path", "name", "near"),
    [
        ("/list/a?frm=1", "frm", "did you mean 'from'? known: cursor, from, state"),
        ("/list/a?since=1", "since", "known: cursor, from, state"),
        ("/list/a?place=b", "place", "known: cursor, from, state"),
        ("/list/a?from=1&stat=x", "stat", "did you mean 'state'"),
        ("/list/a?cursors=1", "cursors", "did you mean 'cursor'"),
        ("/one?limit=2", "limit", "known: most"),
        ("/one?Most=2", "Most", "did you mean 'most'"),
        ("/one?=2", "", "known: most"),
        ("/one?" + "x" * 500 + "=2", "x" * 100, "known: most"),
    ],
)
async def test_a_parameter_that_a_route_does_not_have_is_refused(
    path: str, name: str, near: str
) -> None:
    async with client() as asking:
        answer = await asking.get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_parameter"), answer.text
    assert f"There is no parameter {name!r}" in answer.json()["message"]
    assert near.replace("? k", "?; k") in answer.json()["message"]
    assert answer.json()["details"]["parameter"] == name


async def test_a_call_without_parameters_says_so() -> None:
    async with client() as asking:
        answer = await asking.post(
            "/sources?name=a", json={"name": "a", "action": {"kind": "command"}}
        )
    assert answer.json()["message"] == "There is no parameter 'name'; this call has none."


async def test_what_a_route_knows_is_taken() -> None:
    async with client() as asking:
        answers = [
            await asking.get("/list/a?from=1&state=x&cursor=c"),
            await asking.get("/one?most=3"),
        ]
    assert [one.json() for one in answers] == [["a", 1, "x", "c"], 3]


@pytest.mark.parametrize(
    ("more", "where", "said"),
    [
        ({"nmae": 1}, "body.nmae", "there is no field 'nmae'; did you mean 'name'?"),
        ({"zzz": 1}, "body.zzz", "there is no field 'zzz'"),
        ({"action": {"kind": "rows", "sael": 1}}, "body.action.rows.sael", "did you mean 'seal'?"),
        (
            {"action": {"kind": "rows", "maping": 1}},
            "body.action.rows.maping",
            "there is no field 'maping'",
        ),
        (
            {"action": {"kind": "command", "maping": 1}},
            "body.action.command.maping",
            "did you mean 'mapping'?",
        ),
        (
            {"action": {"kind": "rows", "seal": {"every_row": 1}}},
            "body.action.rows.seal.every_row",
            "'every_rows'?",
        ),
        (
            {"others": [{}, {"every_rowz": 1}]},
            "body.others.1.every_rowz",
            "did you mean 'every_rows'?",
        ),
    ],
)
async def test_a_field_that_a_body_does_not_have_is_told_with_the_nearest(
    more: dict[str, Any], where: str, said: str
) -> None:
    async with client() as asking:
        answer = await asking.post(
            "/sources", json={"name": "a", "action": {"kind": "command"}} | more
        )
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    (error,) = answer.json()["details"]["errors"]
    assert error["where"] == where
    assert error["message"].endswith(said) or said in error["message"]
