"""What becomes of webhooks behind the door: published, mapped, counted, or put aside; each once."""

import asyncio
import json
from collections import Counter

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.settings import Settings
from schemas.topics import DATASETS, DEAD_LETTERS, JOBS, MODELS, USAGE, WEBHOOKS
from tests.acceptance.topics import records
from tests.acceptance.world import World
from tests.eventually import eventually
from tests.factories import new_id, shipped_csv

MAPPING = {
    "dataset_id": "data.set",
    "target": "'target'",
    "model": "data.model",
    "options": "data.options",
}
TRAIN = {"kind": "command", "command": "train", "mapping": MAPPING}
FORWARD = {"kind": "forward"}


async def used(world: World) -> dict[str, float]:
    return {row["meter"]: row["value"] for row in (await world.get("/v1/usage"))["data"]}


async def test_fifty_equal_webhooks_at_once_are_one_event(
    world: World, pipeline: AsyncEngine
) -> None:
    source = await world.source("ci", FORWARD)
    body = b'{"n": 1}'
    answers = await asyncio.gather(*(world.send(source, body, "msg_same") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    said = [answer.json() for answer in answers]
    assert len({one["event_id"] for one in said}) == 1
    assert len({one["request_id"] for one in said}) == 1
    assert Counter(one["duplicate"] for one in said) == {True: 49, False: 1}
    await world.send(source, b"{}", "msg_other")
    await eventually(lambda: used(world), lambda meters: meters.get("webhook_events", 0) >= 2)
    assert await used(world) == {"webhook_events": 2}
    async with pipeline.begin() as tx:
        query = (
            "SELECT (SELECT count(*) FROM requests), count(*) FROM events WHERE type = "
            "'webhook.received'"
        )
        assert tuple((await tx.execute(text(query))).one()) == (2, 2)


async def test_the_same_id_with_another_body_is_told_so(world: World) -> None:
    source = await world.source("ci", FORWARD)
    first = await world.send(source, b'{"n": 1}', "msg_1")
    again = await world.send(source, b'{"n": 2}', "msg_1")
    assert again.json() == {**first.json(), "duplicate": True, "body_mismatch": True}


async def test_a_forward_source_only_publishes(world: World, settings: Settings) -> None:
    source = await world.source("ci", FORWARD)
    body = json.dumps({"data": {"set": str(new_id()), "model": "m"}}).encode()
    answer = await world.send(source, body, "msg_1")
    await eventually(lambda: used(world), lambda meters: meters == {"webhook_events": 1})

    async def on(topic: object) -> list[dict[str, object]]:
        return await records(settings.kafka, topic, settings.kafka_topic_prefix)  # type: ignore[arg-type]

    (event,) = await on(WEBHOOKS)
    assert event["id"] == answer.json()["event_id"]
    assert event["type"] == "webhook.received"
    assert event["data"]["body"] == body.decode()  # type: ignore[index]
    assert [one["type"] for one in await on(USAGE)] == ["usage.recorded"]
    for topic in (DATASETS, JOBS, MODELS, DEAD_LETTERS):
        assert await on(topic) == [], topic.name
    assert (await world.get("/v1/jobs"))["data"] == []


async def test_a_mapping_that_does_not_fit_is_a_dead_letter_with_nothing_stuck_behind_it(
    world: World, settings: Settings
) -> None:
    dataset = await world.upload("iris", shipped_csv("iris"))
    source = await world.source("ci", TRAIN)
    unmappable = [
        b"{}",
        b"[]",
        b"null",
        b"not json",
        b'{"data": 1}',
        b"\xff\xfe",
        b'{"data": {"set": "no-uuid", "model": "m"}}',
        json.dumps({"data": {"set": dataset, "model": 7}}).encode(),
        json.dumps({"data": {"set": dataset, "model": "../../etc"}}).encode(),
        json.dumps({"data": {"set": dataset, "model": "m", "options": [1]}}).encode(),
    ]
    sent = [
        await world.send(source, body, f"msg_{number}") for number, body in enumerate(unmappable)
    ]
    assert [answer.status_code for answer in sent] == [202] * len(sent)
    good = await world.send(
        source, json.dumps({"data": {"set": dataset, "model": "m"}}).encode(), "msg_good"
    )
    jobs = await eventually(lambda: world.get("/v1/jobs"), lambda page: page["data"])
    assert (await world.ended(jobs["data"][0]["id"]))["correlation_id"] == good.json()["event_id"]
    assert len((await world.get("/v1/jobs"))["data"]) == 1

    letters = (await world.get("/v1/dead-letters"))["data"]
    assert {one["event_id"] for one in letters} == {answer.json()["event_id"] for answer in sent}
    for letter in letters:
        assert (letter["consumer"], letter["error_class"], letter["state"]) == (
            "ingest",
            "user_config",
            "parked",
        )
        assert letter["error"]
    async with await world.another_tenant("second") as second:
        assert (await second.get("/v1/dead-letters")).json()["data"] == []

    async def copies() -> list[object]:
        return list(await records(settings.kafka, DEAD_LETTERS, settings.kafka_topic_prefix))

    await eventually(
        lambda: used(world), lambda meters: meters.get("webhook_events") == len(sent) + 1
    )
    await eventually(copies, lambda found: len(found) == len(sent))
