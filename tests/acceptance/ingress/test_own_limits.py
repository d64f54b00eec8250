"""Limits of one tenant's own: the door keeps them, the tenant sees them, nobody else notices."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from compose.cli import app
from compose.settings import Settings
from compose.tenant_limits import UnknownTenant, WrongLimit, change, parsed
from tests.acceptance.ingress.senders import create, deliver, deliveries
from tests.acceptance.world import World, api_only
from tests.eventually import eventually


async def own(world: World, **values: float) -> None:
    """For the first tenant; the door forgets what it knew of a source within a second."""
    await change(world.settings, "first", values)


async def limits(world: World) -> dict[str, tuple[float, str]]:
    return {
        row["name"]: (row["value"], row["origin"])
        for row in (await world.get("/v1/limits"))["data"]
    }


async def test_a_lower_rate_is_one_tenants_only(api: World) -> None:
    await own(api, webhook_rate_per_source=0.4, webhook_burst_seconds=5)
    mine = await create(api, "shop")
    async with await api.another_tenant("second") as client:
        second = World(api.settings, client, api.transport)
        theirs = await create(second, "shop")
        for number, left in enumerate(("1", "0")):
            answer = await deliver(api, mine, b"{}", f"{number}")
            assert answer.status_code == 202
            assert (answer.headers["ratelimit-limit"], answer.headers["ratelimit-remaining"]) == (
                "2",
                left,
            )
        over = await deliver(api, mine, b"{}", "over")
        assert (over.status_code, over.json()["code"]) == (429, "rate_limited")
        assert (over.headers["ratelimit-limit"], over.headers["ratelimit-remaining"]) == ("2", "0")
        assert 0 < int(over.headers["retry-after"]) <= 3
        assert 0 < int(over.headers["ratelimit-reset"]) <= 5
        for number in range(10):
            answer = await deliver(second, theirs, b"{}", f"{number}")
            assert (answer.status_code, answer.headers["ratelimit-limit"]) == (202, "10000")


async def test_the_rate_of_the_whole_tenant_too(api: World) -> None:
    await own(api, webhook_rate_per_tenant=0.5)
    one, two = await create(api, "one"), await create(api, "two")
    assert (await deliver(api, one, b"{}")).status_code == 202
    assert (await deliver(api, two, b"{}")).status_code == 429


async def test_a_smaller_body_and_a_flatter_one(api: World) -> None:
    await own(api, max_webhook_bytes=100, max_webhook_depth=3)
    source = await create(api, "shop")
    assert (await deliver(api, source, b"1" * 100, "fits")).status_code == 202
    over = await deliver(api, source, b"1" * 101, "over")
    assert (over.status_code, over.json()["code"], over.json()["details"]) == (
        413,
        "body_too_large",
        {"max_bytes": 100},
    )
    deep = await deliver(api, source, b"[[[[]]]]", "deep")
    assert (deep.status_code, deep.json()["details"]) == (400, {"max_depth": 3})
    rows = await eventually(
        lambda: deliveries(api, source, "rejected"), lambda found: len(found) == 2, seconds=5
    )
    assert {row["reason"].split(":")[0] for row in rows} == {"413 body_too_large", "400 too_deep"}


async def test_who_does_not_sign_learns_nothing_of_a_limit(api: World) -> None:
    await own(api, max_webhook_bytes=100)
    source = await create(api, "shop")
    forged = await deliver(api, source, b"1" * 101, secret="whsec_" + "A" * 43 + "=")
    assert forged.status_code == 401


async def test_a_change_holds_within_a_second_and_can_be_taken_back(api: World) -> None:
    source = await create(api, "shop")
    assert (await deliver(api, source, b"1" * 101, "a")).status_code == 202
    await own(api, max_webhook_bytes=100)
    number = iter(range(1000))

    async def status() -> int:
        return (await deliver(api, source, b"1" * 101, f"b{next(number)}")).status_code

    await eventually(status, lambda seen: seen == 413, seconds=5)
    await change(api.settings, "first", cleared=["max_webhook_bytes"])
    await eventually(status, lambda seen: seen == 202, seconds=5)


async def test_a_tenant_sees_its_limits_and_where_they_come_from(api: World) -> None:
    before = await limits(api)
    assert {origin for _, origin in before.values()} == {"settings"}
    assert before["max_webhook_bytes"] == (1 << 20, "settings")
    await own(api, webhook_rate_per_source=7.5, max_webhook_bytes=500, max_webhook_depth=10_000)
    assert await limits(api) == {
        **before,
        "webhook_rate_per_source": (7.5, "tenant"),
        "max_webhook_bytes": (500, "tenant"),
    }, "a size is only ever lowered"
    async with await api.another_tenant("second") as client:
        assert await limits(World(api.settings, client, api.transport)) == before


def test_the_operator_sets_shows_and_clears_them(
    database_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_POSTGRES_URL", database_settings.postgres_url.get_secret_value())

    def run(*arguments: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["admin", *arguments])
        assert done.exit_code == code, done.output
        return done.output

    def shown(output: str) -> dict[str, tuple[float, str]]:
        return {row["name"]: (row["value"], row["origin"]) for row in json.loads(output)["data"]}

    run("create-key", "--tenant", "acme")
    changed = shown(
        run(
            "limits",
            "set",
            "acme",
            "max_webhook_bytes=500",
            "webhook_rate_per_source=2.5",
            "--json",
        )
    )
    assert changed["max_webhook_bytes"] == (500, "tenant")
    assert changed["webhook_rate_per_source"] == (2.5, "tenant")
    assert shown(run("limits", "show", "acme", "--json")) == changed
    assert "tenant" in run("limits", "show", "acme")
    cleared = shown(run("limits", "clear", "acme", "max_webhook_bytes", "--json"))
    assert cleared["max_webhook_bytes"] == (1 << 20, "settings")
    assert "no tenant" in run("limits", "show", "nobody", code=1)
    for wrong in (
        "nothing=1",
        "max_webhook_bytes=0",
        "max_webhook_bytes=1.5",
        "webhook_rate_per_source=inf",
        "x",
    ):
        run("limits", "set", "acme", wrong, code=2)
    run("limits", "clear", "acme", "nothing", code=2)


async def test_wrong_ones_are_refused_by_name(database_settings: Settings) -> None:
    with pytest.raises(UnknownTenant):
        await change(database_settings, "nobody", {"max_webhook_bytes": 1})
    for text in ("max_webhook_bytes=nan", "max_webhook_bytes=-1", "MAX=1"):
        with pytest.raises(WrongLimit):
            parsed([text])


async def test_a_limit_of_another_version_is_passed_over(database_settings: Settings) -> None:
    async with api_only(database_settings) as api:
        await own(api, limit_of_tomorrow=1)
        assert (await deliver(api, await create(api, "shop"), b"{}")).status_code == 202
