"""The replay as an object: seen before it is done, bounded by what was seen, throttled, fair,
canceled.
"""

import asyncio
import time
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from compose.processes.sweeper import sweeper
from consumers.log.outcome import Outcome
from consumers.replays.replay import STATES
from schemas.event import Event
from tests.acceptance.answers import check_names_and_times, problem
from tests.eventually import eventually
from tests.factories import new_id
from tests.figures import figures, grown, of
from tests.integration.replays.field import Field
from tests.integration.runner.bench import failing_on

MEANT = {"class": "user_config"}


async def test_a_dry_run_answers_and_changes_nothing(field: Field) -> None:
    _, letters, _ = await field.dead(3)
    answer = await field.post("/v1/replays", {"filter": MEANT, "dry_run": True})
    assert answer.status_code == 200
    assert answer.json()["matched"] == 3
    assert {one["id"] for one in answer.json()["sample"]} == set(letters)
    assert (await field.world.get("/v1/replays"))["data"] == []
    assert set(await field.states()) == {"parked"}


async def test_more_than_the_dry_run_showed_is_refused(field: Field) -> None:
    await field.dead(2)
    asked = {"filter": MEANT, "reason": "mended"}
    problem(await field.post("/v1/replays", asked), 422, "expected_required")
    await field.dead()
    refused = problem(
        await field.post("/v1/replays", {**asked, "expected": 2}), 409, "more_matched"
    )
    assert refused["details"] == {"matched": 3, "expected": 2}
    assert (await field.world.get("/v1/replays"))["data"] == []
    assert set(await field.states()) == {"parked"}
    assert (await field.post("/v1/replays", {**asked, "expected": 4})).status_code == 202
    assert set(await field.states()) == {"replaying"}
    nothing = await field.post("/v1/replays", {**asked, "expected": 0})
    assert (nothing.json()["matched"], nothing.json()["state"]) == (0, "finished")


async def test_the_messages_are_fixed_when_it_is_made(field: Field) -> None:
    _, letters, _ = await field.dead(2)
    replay = await field.replay(filter=MEANT, expected=2)
    await field.dead()
    assert {one["subject_id"] for one in await field.items(replay)} == set(letters)
    await field.drain()
    assert await field.counts(replay) == {"failed_again": 2}


async def test_a_replay_shows_its_messages_by_the_page(field: Field) -> None:
    _, letters, _ = await field.dead(5)
    replay = await field.of_ids(letters, throttle_per_second=1000)
    seen, cursor = [], 0
    while cursor is not None:
        page = await field.world.get(f"/v1/replays/{replay}", limit=2, cursor=cursor)
        check_names_and_times(page)
        seen += [one["subject_id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == sorted(letters)
    await field.drain()
    assert (await field.world.get(f"/v1/replays/{replay}", state="applied"))["items"] == []
    listed = [await field.of_ids(letters[:1]) for _ in range(3)]
    first = await field.world.get("/v1/replays", limit=2)
    rest = await field.world.get("/v1/replays", limit=2, cursor=first["next_cursor"])
    assert [one["id"] for one in first["data"] + rest["data"]] == [*reversed(listed), replay]
    assert rest["next_cursor"] is None


async def test_a_canceled_replay_leaves_the_rest_parked(field: Field) -> None:
    source, letters, _ = await field.dead(5)
    await field.mend(source)
    replay = await field.of_ids(letters, throttle_per_second=0.1)
    await field.lane().round()
    canceled = (await field.post(f"/v1/replays/{replay}/cancel")).json()
    assert (canceled["state"], canceled["counts"]["applied"], canceled["counts"]["skipped"]) == (
        "canceled",
        1,
        4,
    )
    assert canceled["finished_by"].startswith("test (")
    assert sorted(await field.states()) == ["applied", *["parked"] * 4]
    assert (await field.post(f"/v1/replays/{replay}/cancel")).json() == canceled
    await field.drain()
    assert await field.commands() == 1
    finished = await field.of_ids(letters)
    await field.drain()
    assert await field.counts(finished) == {"already_applied": 1, "applied": 4}
    assert (await field.post(f"/v1/replays/{finished}/cancel")).json()["state"] == "finished"


async def test_what_another_replay_has_before_it_stays_with_it(field: Field) -> None:
    _, letters, _ = await field.dead(2)
    one = await field.of_ids(letters)
    await field.of_ids(letters[:1])
    await field.post(f"/v1/replays/{one}/cancel")
    assert sorted(await field.states()) == ["parked", "replaying"]


async def test_the_throttle_holds_for_all_lanes_together(field: Field) -> None:
    source, letters, _ = await field.dead(9)
    await field.mend(source)
    stop = asyncio.Event()
    began = time.monotonic()
    replay = await field.of_ids(letters, throttle_per_second=10)
    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(field.lane().run(stop))
        await eventually(lambda: field.counts(replay), lambda counts: "pending" not in counts)
        took = time.monotonic() - began
        stop.set()
    assert took >= 0.8  # the first at once, then eight at ten a second
    assert await field.counts(replay) == {"applied": 9}


async def test_a_small_replay_does_not_wait_for_a_large_one(field: Field) -> None:
    source, letters, _ = await field.dead(61)
    await field.mend(source)
    large, small = await field.of_ids(letters[:60]), await field.of_ids(letters[60:])
    lane = field.lane()
    await lane.round()
    await lane.round()
    assert await field.counts(small) == {"applied": 1}
    assert (await field.counts(large))["pending"] == 40


async def test_discarded_before_its_turn(field: Field) -> None:
    source, letters, _ = await field.dead(2)
    await field.mend(source)
    replay = await field.of_ids(letters)
    answer = await field.post(
        f"/v1/dead-letters/{letters[0]}/discard", {"reason": "a duplicate order"}
    )
    assert answer.json()["discard_reason"] == "a duplicate order"
    await field.drain()
    assert await field.counts(replay) == {"applied": 1, "skipped": 1}
    assert await field.commands() == 1
    assert sorted(await field.states()) == ["applied", "discarded"]


async def test_discarded_while_it_is_handled(field: Field) -> None:
    """The effect was first: to discard comes too late, and is told so."""
    source, letters, _ = await field.dead()
    await field.mend(source)
    await field.of_ids(letters)
    real = field.bench.handler("ingest")
    discarding: list[asyncio.Task[object]] = []

    async def handle(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        asked = field.post(f"/v1/dead-letters/{letters[0]}/discard", {"reason": "too late"})
        discarding.append(asyncio.create_task(asked))
        return await real(tx, events)

    await field.lane(handle).round()
    problem(await discarding[0], 409, "already_applied")  # type: ignore[arg-type]
    assert await field.states() == ["applied"]
    assert await field.commands() == 1


async def test_another_tenants_letters_and_replays_do_not_exist(field: Field) -> None:
    _, letters, _ = await field.dead(2)
    replay = await field.of_ids(letters[:1], throttle_per_second=0.01)
    async with await field.world.another_tenant("second") as second:
        body = {"filter": {}, "expected": 100}
        assert (await second.post("/v1/replays", json={**body, "dry_run": True})).json()[
            "matched"
        ] == 0
        assert (await second.post("/v1/replays", json=body)).json()["matched"] == 0
        for ids in (letters, [str(new_id())]):
            asked = {"filter": {"ids": ids}}
            problem(await second.post("/v1/replays", json=asked), 404, "not_found")
            problem(
                await second.post("/v1/replays", json={**asked, "dry_run": True}), 404, "not_found"
            )
        problem(await second.get(f"/v1/replays/{replay}"), 404, "not_found")
        problem(await second.post(f"/v1/replays/{replay}/cancel"), 404, "not_found")
    assert sorted(await field.states()) == ["parked", "replaying"]


async def test_what_is_replayed_is_measured(field: Field) -> None:
    source, letters, events = await field.dead(3)
    await field.mend(source)
    buggy = failing_on(field.bench.handler("ingest"), events[1], lambda: KeyError("column 'a'"))
    await field.of_ids(letters)
    before = figures()
    async with sweeper(field.bench.settings) as sweeping:
        await sweeping.stored.look()
        assert of(figures(), "replay_open") == 1
        assert of(figures(), "replay_waiting", consumer="ingest") == 3
        await field.drain(field.lane(buggy))
        await sweeping.stored.look()
    now = figures()
    assert of(now, "replay_open") == 0
    assert of(now, "replay_waiting", consumer="ingest") is None
    grew = {
        one: grown(before, now, "replay_messages_total", consumer="ingest", outcome=one)
        for one in STATES
    }
    assert {one: count for one, count in grew.items() if count} == {"applied": 2, "failed_again": 1}


async def test_a_bug_in_the_handler_fails_the_message_and_not_the_lane(field: Field) -> None:
    source, letters, events = await field.dead(3)
    await field.mend(source)
    buggy = failing_on(field.bench.handler("ingest"), events[1], lambda: KeyError("column 'a'"))
    replay = await field.of_ids(letters)
    await field.drain(field.lane(buggy))
    assert await field.counts(replay) == {"applied": 2, "failed_again": 1}
    assert await field.commands() == 2
    found = await field.world.get(f"/v1/dead-letters/{letters[1]}")
    assert (found["state"], found["error_class"], found["attempts"]) == ("parked", "bug", 2)
    assert "KeyError" in found["error"]
    assert "File " in found["stack"]
