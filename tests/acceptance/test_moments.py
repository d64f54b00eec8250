"""Times at both ends of the calendar on every route that takes one: an answer or a 422, never a
broken page.
"""

from typing import Any

from compose.settings import Settings
from schemas.cursor import encoded
from tests.acceptance.answers import problem
from tests.acceptance.world import World, api_only
from tests.factories import new_id

# In UTC these are outside of the years 1 to 9999.
PAST_THE_CALENDAR = (
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999-00:01",
)
AT_ITS_ENDS = ("9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+23:59")


def timed(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Every GET (path, parameter) of the document whose parameter is a time."""
    found = []
    for path, operations in document["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", ()):
            kinds = parameter["schema"].get("anyOf", [parameter["schema"]])
            if any(kind.get("format") == "date-time" for kind in kinds):
                found.append((path, parameter["name"]))
    return found


async def test_a_time_past_the_calendar_is_refused_on_every_route(
    database_settings: Settings,
) -> None:
    async with api_only(database_settings) as world:
        places = timed(await world.get("/openapi.json"))
        assert {path for path, _ in places} >= {"/v1/events", "/v1/requests", "/v1/dead-letters"}
        for path, name in places:
            where = path.replace("{", "").replace("}", "")
            assert "{" not in path, f"give {path} an id"
            for moment in PAST_THE_CALENDAR:
                problem(
                    await world.client.get(where, params={name: moment}), 422, "invalid_request"
                )
            for moment in AT_ITS_ENDS:
                answer = await world.client.get(where, params={name: moment})
                assert answer.status_code == 200, (path, name, moment, answer.text)


async def test_a_time_past_the_calendar_is_refused_in_bodies_and_cursors(
    database_settings: Settings,
) -> None:
    async with api_only(database_settings) as world:
        for kind in ("dead_letters", "requests"):
            for moment in PAST_THE_CALENDAR:
                body = {"kind": kind, "filter": {"from": moment}, "dry_run": True}
                problem(await world.client.post("/v1/replays", json=body), 422, "invalid_filter")
        for path in await _paged(world):
            for moment in PAST_THE_CALENDAR:
                cursor = encoded(moment, str(new_id()))
                problem(
                    await world.client.get(path, params={"cursor": cursor}), 422, "invalid_cursor"
                )


async def _paged(world: World) -> list[str]:
    paths = (await world.get("/openapi.json"))["paths"]
    return [
        path
        for path, operations in paths.items()
        if "{" not in path
        and any(one["name"] == "cursor" for one in operations.get("get", {}).get("parameters", ()))
    ]
