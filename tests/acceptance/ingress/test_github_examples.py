"""GitHub's published payloads, every one: signed by GitHub's package, through the door, Kafka
and ingest, once each.
"""

import asyncio
import json
from collections import Counter
from typing import Any

import httpx

from compose.settings import Settings
from schemas.topics import WEBHOOKS
from tests.acceptance.ingress.npm import told
from tests.acceptance.ingress.senders import create, sql
from tests.acceptance.topics import records
from tests.acceptance.world import World, api_only, running_processes
from tests.eventually import eventually

EDITIONS = ("api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35")
DATASET = "00000000-0000-7000-8000-000000000001"
MAPPING = {
    "dataset_id": f"'{DATASET}'",
    "target": "join('.', [action || 'none', sender.type || 'nobody'])",
    "model": "repository.name || organization.login || 'none'",
    "options": "{keys: keys(@)}",
}

ROWS = {
    "kind": "rows",
    "dataset": "deliveries",
    "columns": {
        "action": "action || 'none'",
        "fields": "length(keys(@))",
        "private": "repository.private",
        "owner": "repository.owner.type",
        "issues": "repository.open_issues_count",
        "size": "repository.size",
    },
    "seal": {"every_rows": 700},
    "train": {"target": "fields", "model": "deliveries", "options": {"task": "regression"}},
}


async def test_every_published_example_goes_through_once_and_unchanged(settings: Settings) -> None:
    async with api_only(settings) as world, running_processes(settings, ["ingest"], ["usage"]):
        source = await create(world, "github", scheme="github")
        (examples,) = await told(
            {"op": "examples", "secret": source["secret"], "editions": EDITIONS}
        )
        assert len(examples) > 700
        answers = await asyncio.gather(
            *(_send(world, source, number, one) for number, one in enumerate(examples))
        )
        assert Counter(answer.status_code for answer in answers) == {202: len(examples)}
        events = {
            answer.json()["event_id"]: one for answer, one in zip(answers, examples, strict=True)
        }
        assert len(events) == len(examples)
        handled = "SELECT count(*) FROM processed WHERE consumer = 'ingest'"
        await eventually(lambda: sql(world, handled), lambda count: count >= len(examples))
        published = await records(settings.kafka, WEBHOOKS, settings.kafka_topic_prefix)
        assert Counter(event["id"] for event in published) == dict.fromkeys(events, 1)
        for event in published:
            said = event["data"]
            assert (said["body"], said["body_encoding"]) == (events[event["id"]]["body"], "text"), (
                event["id"]
            )
        assert await sql(world, handled) == len(examples)
        assert await sql(world, "SELECT count(*) FROM dead_letters") == 0
        print(
            f"\n{len(examples)} published examples of {len({one['event'] for one in examples})} "
            "kinds, once each"
        )
        await _dry_runs(world, source, examples)


async def test_published_examples_become_rows_and_a_model_is_trained_on_them(
    settings: Settings,
) -> None:
    async with api_only(settings) as world, running_processes(settings, [], ["jobs"]):
        source = await create(world, "github", scheme="github", action=ROWS)
        (examples,) = await told(
            {"op": "examples", "secret": source["secret"], "editions": EDITIONS}
        )
        for number, one in enumerate(examples):
            assert (await _send(world, source, number, one)).status_code == 202
        listed = await eventually(
            lambda: world.get("/v1/jobs"),
            lambda jobs: jobs["data"] and jobs["data"][0]["state"] == "succeeded",
        )
        (dataset,) = (await world.get("/v1/datasets"))["data"]
        assert (dataset["state"], dataset["rows"]) == ("validated", 700)
        (stream,) = (await world.get("/v1/streams"))["data"]
        assert (stream["rows"], stream["open_rows"]) == (len(examples), len(examples) - 700)
        assert (await world.get("/v1/models/deliveries/versions/1"))["version"] == 1
        print(
            f"\n{len(examples)} examples: 700 rows sealed and trained on, R2 "
            f"{listed['data'][0]['metrics']['r2']:.2f}"
        )


async def _send(
    world: World, source: dict[str, Any], number: int, example: dict[str, Any]
) -> httpx.Response:
    headers = {
        "content-type": "application/json",
        "x-github-event": example["event"],
        "x-github-delivery": f"d-{number}",
        "x-hub-signature-256": example["signature"],
    }
    return await world.client.post(
        f"/hooks/{source['id']}", content=example["body"].encode(), headers=headers
    )


async def _dry_runs(world: World, source: dict[str, Any], examples: list[dict[str, Any]]) -> None:
    """A mapping over each distinct payload: what it becomes, or a reason; nothing is done."""
    before = await sql(world, "SELECT count(*) FROM events")
    action = {"kind": "command", "mapping": MAPPING}
    for body in {one["body"] for one in examples}:
        payload = json.loads(body)
        answer = await world.client.post(
            f"/v1/sources/{source['id']}/dry-run", json={"payload": payload, "action": action}
        )
        assert answer.status_code == 200, answer.text
        becomes = answer.json()["becomes"]
        assert (
            becomes["target"]
            == f"{payload.get('action', 'none')}.{payload.get('sender', {}).get('type', 'nobody')}"
        )
        assert sorted(becomes["options"]["keys"]) == sorted(payload)
    assert await sql(world, "SELECT count(*) FROM events") == before
