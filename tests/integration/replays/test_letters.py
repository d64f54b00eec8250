"""Dead letters: all that is known of a failure, found by what it is, bounded, given up with a
reason.
"""

from dataclasses import replace

from compose.processes.replays import lane_of
from consumers.dead_letters.dead_letter import MOST_ERROR_BYTES, OPERATOR
from consumers.replays import store
from consumers.replays.replay import Target
from tests.acceptance.answers import check_names_and_times, problem
from tests.factories import new_id, record_of
from tests.integration.consumers import rows
from tests.integration.replays.field import Field
from tests.integration.runner.bench import failing_on


async def test_a_letter_tells_all_that_is_known(field: Field) -> None:
    source, letters, events = await field.dead()
    shown = await field.world.get(f"/v1/dead-letters/{letters[0]}")
    check_names_and_times(shown)
    assert shown["consumer"] == "ingest"
    assert shown["consumer_version"]
    assert (shown["topic"], shown["partition"], shown["offset"]) == ("headrace.webhooks", 0, 0)
    assert (shown["event_id"], shown["event_type"]) == (str(events[0].id), "webhook.received")
    assert (shown["error_class"], shown["state"], shown["attempts"]) == ("user_config", "parked", 1)
    assert shown["trace_id"] == (events[0].traceparent or "").split("-")[1]
    assert shown["stack"] is None
    assert shown["key"] == f"{field.tenant}:{source['id']}"
    assert {"name": "ce_type", "value": "webhook.received"} in shown["headers"]
    assert shown["decoded"] == events[0].model_dump(mode="json")
    assert shown["undecodable"] is None
    raw = await field.world.client.get(f"/v1/dead-letters/{letters[0]}/raw")
    assert raw.content == events[0].encode()
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["x-content-type-options"] == "nosniff"


async def test_letters_are_found_by_what_they_are(field: Field) -> None:
    await field.dead(3)
    guilty = rows.request(field.tenant, new_id())
    buggy = failing_on(
        field.bench.handler("ingest"), guilty, lambda: RuntimeError("a bug in row 7")
    )
    assert await field.bench.runner("ingest", buggy)(field.feed.deliver(guilty))

    async def found(**query: object) -> int:
        return len((await field.world.get("/v1/dead-letters", **query))["data"])

    times = [
        row["created_at"]
        for row in await field.bench.ask("SELECT created_at FROM dead_letters ORDER BY 1")
    ]
    (bug,) = (await field.world.get("/v1/dead-letters", **{"class": "bug"}))["data"]
    assert "File " not in bug["error"]
    assert (await field.world.get(f"/v1/dead-letters/{bug['id']}"))["stack"].startswith("  File ")
    assert await found() == 4
    assert await found(consumer="training") == 0
    assert await found(type="job.requested") == 1
    assert await found(fingerprint=bug["fingerprint"]) == 1
    assert await found(state="discarded") == 0
    assert await found(**{"from": times[-1].isoformat()}) == 1
    assert await found(to=times[-1].isoformat()) == 3
    problem(
        await field.world.client.get("/v1/dead-letters", params={"klass": "bug"}),
        422,
        "unknown_parameter",
    )
    problem(
        await field.world.client.get("/v1/dead-letters", params={"cursor": "x"}),
        422,
        "invalid_cursor",
    )

    pages, cursor = [], None
    while True:
        page = await field.world.get(
            "/v1/dead-letters", limit=3, **({"cursor": cursor} if cursor else {})
        )
        pages.append([one["id"] for one in page["data"]])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [len(page) for page in pages] == [3, 1]
    assert len({one for page in pages for one in page}) == 4


async def test_groups_count_what_one_mend_will_mend(field: Field) -> None:
    _, letters, _ = await field.dead(3)
    (other,) = (await field.dead())[1]
    await field.post(f"/v1/dead-letters/{other}/discard", {"reason": "alone"})
    groups = (await field.world.get("/v1/dead-letters/groups"))["data"]
    check_names_and_times(groups)
    (group,) = groups
    assert (group["count"], group["parked"], group["sample_id"]) == (4, 3, other)
    assert (group["consumer"], group["error_class"], group["event_type"]) == (
        "ingest",
        "user_config",
        "webhook.received",
    )
    assert group["first_failed_at"] <= group["last_failed_at"]

    path = f"/v1/dead-letters/groups/{group['fingerprint']}/discard"
    problem(await field.post(path, {}), 422, "invalid_request")
    done = (await field.post(path, {"reason": "a test of the sender"})).json()
    assert done == {"fingerprint": group["fingerprint"], "discarded": 3}
    for letter in letters:
        shown = await field.world.get(f"/v1/dead-letters/{letter}")
        assert (shown["state"], shown["discard_reason"]) == ("discarded", "a test of the sender")
        assert shown["discarded_by"].startswith("test (")
        assert shown["discarded_at"]
    assert (await field.world.get(f"/v1/dead-letters/{other}"))["discard_reason"] == "alone"
    assert (await field.post(path, {"reason": "again"})).json()["discarded"] == 0


async def test_poison_that_is_replayed_stays_one_row(field: Field) -> None:
    _, letters, _ = await field.dead()
    events = await field.bench.value("SELECT count(*) FROM events")
    for _ in range(5):
        replay = await field.of_ids(letters)
        await field.drain()
        assert await field.counts(replay) == {"failed_again": 1}
    (letter,) = await field.bench.ask("SELECT * FROM dead_letters")
    assert (letter["state"], letter["attempts"]) == ("parked", 6)
    assert letter["last_failed_at"] > letter["created_at"]
    assert await field.bench.value("SELECT count(*) FROM events") == events


async def test_what_the_subscription_fails_on_again_stays_one_row(field: Field) -> None:
    """Positions were set back: the same record comes again, with a longer and longer error."""
    bad = replace(record_of(rows.request(field.tenant, new_id())), value=b"{")
    delivery = field.feed.deliver(bad)
    for _ in range(3):
        assert await field.bench.runner("ingest")(delivery)
        async with field.bench.pipeline.begin() as tx:
            await tx.exec_driver_sql("DELETE FROM positions")
    (letter,) = await field.bench.ask(
        "SELECT attempts, state, length(error) AS size FROM dead_letters"
    )
    assert (letter["attempts"], letter["state"]) == (3, "parked")
    assert letter["size"] <= MOST_ERROR_BYTES
    assert await field.bench.value("SELECT count(*) FROM events WHERE is_copy") == 1


async def test_projections_are_rebuilt_not_replayed(field: Field) -> None:
    async with field.bench.pipeline.begin() as tx:
        await tx.exec_driver_sql(
            'INSERT INTO dead_letters (tenant_id, id, consumer, topic, partition, "offset", '
            "headers, error_class,"
            " error, fingerprint, attempts, state) VALUES"
            f" ('{field.tenant}', '{new_id()}', 'projection.jobs', 't', 0, 0, '[]', 'bug', 'e', "
            "'f', 1, 'parked')"
        )
    (letter,) = (await field.world.get("/v1/dead-letters"))["data"]
    for given in ({"consumer": "projection.jobs"}, {"ids": [letter["id"]]}):
        for dry_run in (True, False):
            body = {"filter": given, "dry_run": dry_run, "expected": 1}
            told = problem(await field.post("/v1/replays", body), 422, "not_replayable")
            assert "rebuild" in told["message"]
    everything = await field.post("/v1/replays", {"filter": {}, "dry_run": True})
    assert everything.json()["matched"] == 0
    assert await field.states() == ["parked"]


async def test_what_could_not_be_read_is_the_operators_and_is_handled_once_it_can(
    field: Field,
) -> None:
    """Two records of one event, both parked unread; then this process learns to read them."""
    source, _, _ = await field.dead()
    await field.mend(source)
    _, event = await field.received(source, 7)
    runner = field.bench.runner("ingest")
    whole = record_of(event, prefix="blue.")
    assert await runner(field.feed.deliver(whole, whole, replace(whole, value=b"{")))
    letters = await field.bench.ask(
        'SELECT id FROM dead_letters WHERE tenant_id = :t ORDER BY "offset"', t=OPERATOR
    )
    assert (
        len((await field.world.get("/v1/dead-letters"))["data"]) == 1
    )  # the tenant sees its own only

    replay = new_id()
    async with field.bench.pipeline.begin() as tx:
        new = store.NewRow(
            OPERATOR, replay, "dead_letters", {}, "read them", None, None, "operator"
        )
        await store.create(tx, new, [Target(row["id"], None, "ingest") for row in letters])
    await field.drain(lane_of(replace(runner.runner, topic_prefix="blue.")))

    items = await field.bench.ask(
        "SELECT state, detail FROM replay_items WHERE replay_id = :r ORDER BY place", r=replay
    )
    assert [one["state"] for one in items] == ["applied", "already_applied", "failed_again"]
    assert items[1]["detail"] == "the event was consumed from another record"
    assert items[2]["detail"].startswith("undecodable: not JSON")
    assert await field.commands() == 1
    (command,) = await field.bench.ask("SELECT tenant_id FROM events WHERE type = 'job.requested'")
    assert command["tenant_id"] == field.tenant


async def test_what_fails_once_it_can_be_read_is_tried_again(field: Field) -> None:
    """That it was read once does not count as having had it: the claim on its event is undone
    with the attempt.
    """
    source, _, _ = await field.dead()
    _, event = await field.received(source, 7)
    runner = field.bench.runner("ingest")
    assert await runner(field.feed.deliver(record_of(event, prefix="blue.")))
    letter = await field.bench.value("SELECT id FROM dead_letters WHERE tenant_id = :t", t=OPERATOR)
    lane = lane_of(replace(runner.runner, topic_prefix="blue."))
    states = []
    for _ in range(2):
        async with field.bench.pipeline.begin() as tx:
            new = store.NewRow(OPERATOR, new_id(), "dead_letters", {}, None, None, None, "operator")
            await store.create(tx, new, [Target(letter, None, "ingest")])
        await field.drain(lane)
        query = (
            "SELECT state FROM replay_items WHERE subject_id = :id ORDER BY created_at DESC LIMIT 1"
        )
        states.append(await field.bench.value(query, id=letter))
        await field.mend(source)
    assert states == ["failed_again", "applied"]


async def test_every_consumer_has_its_lane_and_an_applied_letter_stays_so(field: Field) -> None:
    _, event = await field.received(await field.world.source("ci", {"kind": "forward"}))
    buggy = failing_on(field.bench.handler("billing"), event, lambda: RuntimeError("a bug"))
    assert await field.bench.runner("billing", buggy)(field.feed.deliver(event))
    (letter,) = (await field.world.get("/v1/dead-letters", consumer="billing"))["data"]
    outcomes = []
    for _ in range(2):
        replay = await field.of_ids([letter["id"]])
        await field.drain()  # ingest's lane leaves it alone
        assert await field.counts(replay) == {"pending": 1}
        await field.drain(field.lane(consumer="billing"))
        outcomes.append(await field.counts(replay))
    assert outcomes == [{"applied": 1}, {"already_applied": 1}]
    assert await field.bench.value("SELECT sum(quantity) FROM usage_records") == 1
