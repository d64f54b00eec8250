"""How often one tenant may ask: nobody else waits for it, and it is told how long it has to."""

from compose.settings import Settings
from compose.tenant_limits import change
from tests.acceptance.answers import problem
from tests.acceptance.world import api_only
from tests.eventually import eventually


async def test_a_tenant_over_its_rate_is_told_how_long_to_wait(database_settings: Settings) -> None:
    settings = database_settings.model_copy(
        update={"api_rate_per_tenant": 0.05, "api_burst_seconds": 60}
    )
    async with api_only(settings) as world:
        source = await world.source("shop")
        assert (
            await world.client.get("/v1/limits", headers={"authorization": "Bearer hr_x"})
        ).status_code == 401
        for left in ("1", "0"):
            answer = await world.client.get("/v1/jobs")
            assert answer.status_code == 200
            assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == (
                "3",
                left,
            )
        over = await world.client.get("/v1/jobs")
        problem(over, 429, "rate_limited")
        assert 0 < int(over.headers["retry-after"]) <= 20
        assert 0 < int(over.headers["ratelimit-reset"]) <= 60
        assert over.headers.get_list("retry-after") == [over.headers["retry-after"]]
        assert (await world.send(source, b"{}", "a")).status_code == 202
        async with await world.another_tenant("second") as second:
            assert (await second.get("/v1/jobs")).status_code == 200

        await change(settings, "first", {"api_rate_per_tenant": 50})
        again = await eventually(
            lambda: world.client.get("/v1/limits"), lambda answer: answer.status_code == 200
        )
        found = {row["name"]: (row["value"], row["origin"]) for row in again.json()["data"]}
        assert found["api_rate_per_tenant"] == (50, "tenant")
        assert again.headers["ratelimit-limit"] == "3000"
