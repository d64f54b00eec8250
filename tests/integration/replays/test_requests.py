"""Replays of requests: a fresh attempt under the mapping as it is now, and never a second
effect.
"""

from tests.acceptance.answers import problem
from tests.eventually import eventually
from tests.factories import new_id
from tests.integration.replays.field import RIGHT, WRONG, Field, train

FORWARD = {"kind": "forward"}


async def test_what_was_only_forwarded_then_is_applied_now(field: Field) -> None:
    source = await field.world.source("ci", FORWARD)
    request, event = await field.received(source)
    await field.consumed(event)
    assert await field.commands() == 0
    forwarding = await field.of_ids([request], kind="requests")
    await field.drain()
    assert await field.counts(forwarding) == {"already_applied": 1}

    await field.mend(source)
    answer = await field.post(f"/v1/requests/{request}/replay", {"reason": "it trains now"})
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/replays/{answer.json()['id']}"
    await field.drain()
    again = await field.post(f"/v1/requests/{request}/replay")
    await field.drain()

    assert await field.commands() == 1
    shown = (await field.world.get(f"/v1/requests/{request}"))["replays"]
    assert [one["state"] for one in shown] == ["already_applied", "applied", "already_applied"]
    assert [one["replay_id"] for one in shown] == [
        again.json()["id"],
        answer.json()["id"],
        forwarding,
    ]
    assert shown[1]["reason"] == "it trains now"
    assert await field.bench.value("SELECT count(*) FROM usage_records") == 0


async def test_an_effect_that_is_there_counts_though_the_mapping_fits_no_more(field: Field) -> None:
    source = await field.world.source("ci", train(RIGHT))
    request, event = await field.received(source)
    await field.consumed(event)
    await field.mend(source, train(WRONG))
    replay = await field.of_ids([request], kind="requests")
    await field.drain()
    assert await field.counts(replay) == {"already_applied": 1}
    assert await field.commands() == 1


async def test_a_letter_follows_its_request(field: Field) -> None:
    source, letters, events = await field.dead(2)
    await field.post(f"/v1/dead-letters/{letters[1]}/discard", {"reason": "a test order"})
    await field.mend(source)
    replay = await field.replay(kind="requests", filter={"source_id": source["id"]}, expected=2)
    await field.drain()
    assert await field.states() == ["applied", "discarded"]
    first, second = await field.items(replay)
    assert (first["state"], first["event_id"]) == ("applied", str(events[0].id))
    assert (second["state"], second["detail"]) == (
        "skipped",
        f"the dead letter {letters[1]} was discarded",
    )


async def test_what_fails_again_says_why_and_makes_no_second_letter(field: Field) -> None:
    source, _, _ = await field.dead()
    replay = await field.replay(kind="requests", filter={"source_id": source["id"]}, expected=1)
    await field.drain()
    (item,) = await field.items(replay)
    assert item["state"] == "failed_again"
    assert item["detail"].startswith("user_config: `dataset_id`: `data.set` gave null; expected")
    (letter,) = await field.bench.ask("SELECT state, attempts FROM dead_letters")
    assert letter == {"state": "parked", "attempts": 2}

    forwarding = await field.world.source("other", FORWARD)
    request, event = await field.received(forwarding)
    await field.consumed(event)
    await field.mend(forwarding, train(WRONG))
    replay = await field.of_ids([request], kind="requests")
    await field.drain()
    assert await field.counts(replay) == {"failed_again": 1}
    assert await field.bench.value("SELECT count(*) FROM dead_letters") == 1


async def test_what_ingest_has_not_consumed_is_left_to_it(field: Field) -> None:
    source = await field.world.source("ci", train(RIGHT))
    request, event = await field.received(source)
    replay = await field.of_ids([request], kind="requests")
    await field.drain()
    (item,) = await field.items(replay)
    assert (item["state"], item["detail"]) == ("skipped", "ingest has not consumed it yet")
    assert await field.commands() == 0
    await field.consumed(event)
    assert await field.commands() == 1


async def test_what_was_refused_at_the_door_has_no_event(field: Field) -> None:
    source = await field.world.source("ci", train(RIGHT))
    forged = await field.world.send({**source, "secret": "whsec_" + "A" * 43 + "="}, b"{}", "msg_1")
    assert forged.status_code == 401
    asked = {"kind": "requests", "filter": {"source_id": source["id"], "outcome": "rejected"}}

    async def seen() -> int:
        return int((await field.post("/v1/replays", {**asked, "dry_run": True})).json()["matched"])

    assert await eventually(seen, seconds=10) == 1
    replay = await field.replay(**asked, expected=1)
    found = await field.world.get(f"/v1/replays/{replay}")
    assert (found["state"], found["counts"]["skipped"]) == ("finished", 1)
    (item,) = found["items"]
    assert item["detail"].startswith("it was refused and has no event: 401")
    one = await field.post(f"/v1/requests/{item['subject_id']}/replay")
    assert (one.status_code, one.json()["counts"]["skipped"]) == (202, 1)
    problem(await field.post(f"/v1/requests/{new_id()}/replay"), 404, "not_found")


async def test_the_filter_chooses_by_source_time_and_outcome(field: Field) -> None:
    one, other = (
        await field.world.source("one", FORWARD),
        await field.world.source("other", FORWARD),
    )
    for number in range(3):
        await field.received(one, number)
    await field.received(other)
    await field.received(one, 0)  # a repeat
    times = [
        row["received_at"]
        for row in await field.bench.ask("SELECT received_at FROM requests ORDER BY 1")
    ]

    async def matched(**chosen: str) -> int:
        body = {"kind": "requests", "filter": chosen, "dry_run": True}
        return int((await field.post("/v1/replays", body)).json()["matched"])

    assert await matched() == 4
    assert await matched(source_id=one["id"]) == 3
    assert await matched(source_id=one["id"], outcome="duplicate") == 1
    assert await matched(outcome="rejected") == 0
    assert await matched(**{"from": times[1].isoformat(), "to": times[3].isoformat()}) == 2
