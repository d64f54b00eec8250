"""This code continues what 83fb619 left when it was killed: nothing is lost, nothing done twice."""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from compose.kafka.lag import consumer_lags
from compose.postgres.connections import engine
from compose.processes.api import api
from producers.webhooks.verification.standard_webhooks import sign
from schemas.topics import DATASETS, JOBS, MODELS, USAGE, WEBHOOKS
from tests.acceptance.topics import records
from tests.acceptance.upgrade.installation import Installation, removed, restored
from tests.acceptance.world import World, running_processes
from tests.eventually import eventually
from tests.harness.database import Cluster

ENDS = {
    "expired": "expired",
    "canceled": "canceled",
    "succeeded": "succeeded",
    "failed": "failed",
    "finalizing": "succeeded",
    "running": "succeeded",
    "queued": "succeeded",
    "canceling": "canceled",
    "accepted": "failed",
    "requested": "failed",
}
"""How each job ends, by what it was at the kill; two ask for a target that is absent."""


@pytest.fixture
async def installation(cluster: Cluster, kafka: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """What was left, migrated."""
    found = await restored(cluster, kafka, tmp_path)
    yield found
    await removed(cluster, found)


@pytest.fixture
async def worlds(installation: Installation) -> AsyncIterator[dict[str, World]]:
    """A client for each tenant, with the key that it has had."""
    async with api(installation.settings) as app:
        transport = httpx.ASGITransport(app=app)
        found = {}
        for tenant, key in installation.left["keys"].items():
            client = httpx.AsyncClient(
                transport=transport,
                base_url=installation.settings.api_url,
                headers={"Authorization": f"Bearer {key}"},
                timeout=120,
            )
            found[tenant] = World(installation.settings, client, transport)
        yield found
        for world in found.values():
            await world.client.aclose()


@pytest.mark.timeout(300)
async def test_what_an_older_release_left_is_continued(
    installation: Installation,
    worlds: dict[str, World],
) -> None:
    left, acme = installation.left, worlds["acme"]
    assert await installation.sql("SELECT FROM outbox")
    await shows_what_was_shown(installation, acme)
    await knows_every_webhook_again(installation, worlds)
    await answers_a_command_as_before(installation, acme)
    await still_has_files_bodies_and_limits(installation, worlds)
    positions = await positions_of(installation)
    assert positions
    async with running_processes(installation.settings):
        for was, job in left["jobs"].items():
            ended = await acme.ended(job, seconds=200)
            assert ended["state"] == ENDS[was], (was, ended)
        await datasets_are_decided(installation, acme)
        await replays_are_done(installation, acme)
        await takes_another_webhook(installation, acme)
        await eventually(lambda: everything_is_consumed(installation), seconds=120)
        await used_once_each(installation, worlds)
        (stream,) = (await acme.get("/v1/streams"))["data"]
        assert (stream["rows"], stream["open_rows"]) == (15, 3)
        await shows_what_was_shown(installation, acme)
    for place, position in (await positions_of(installation)).items():
        assert position >= positions.get(place, 0), place
    await each_event_once(installation)


async def shows_what_was_shown(installation: Installation, acme: World) -> None:
    """Whatever was answered is answered still; fields may have been added."""
    for path, before in installation.left["shown"].items():
        assert differences(before, await acme.get(path)) == [], path
    for path, ids in installation.left["listed"].items():
        now = {one.get("id") or one["name"] for one in (await acme.get(path))["data"]}
        assert set(ids) <= now, path


def differences(before: Any, now: Any, at: str = "") -> list[str]:
    """Where what was there is not there any more."""
    if isinstance(before, dict) and isinstance(now, dict):
        pairs = [(was, now.get(name), name) for name, was in before.items() if name != "position"]
        return [line for was, one, name in pairs for line in differences(was, one, f"{at}.{name}")]
    if isinstance(before, list) and isinstance(now, list):
        gone = [was for was in before if all(differences(was, one) for one in now)]
        return [f"{at}: {was!r} is not there" for was in gone]
    return [] if before == now else [f"{at}: {before!r} is now {now!r}"]


async def knows_every_webhook_again(installation: Installation, worlds: dict[str, World]) -> None:
    """Each provider sends again what it sent, byte for byte: a duplicate of the same request."""
    for one in installation.left["webhooks"]:
        client = worlds[one["tenant"]].client
        url = f"/hooks/{one['source_id']}"
        again = await client.post(url, content=one["body"], headers=one["headers"])
        said = {name: one[name] for name in ("request_id", "event_id")}
        assert (again.status_code, again.json()) == (202, {**said, "duplicate": True}), one


async def takes_another_webhook(installation: Installation, acme: World) -> None:
    """Signed with the secret of then, at the hour that the installation has."""
    source, body = installation.left["sources"]["of standard_webhooks"], b'{"new": 1}'
    headers = sign(body, source["secret"], message_id="new", now=installation.now())
    fresh = await acme.client.post(
        f"/hooks/{source['id']}",
        content=body,
        headers={**headers, "content-type": "application/json"},
    )
    assert (fresh.status_code, fresh.json()["duplicate"]) == (202, False), fresh.text


async def answers_a_command_as_before(installation: Installation, acme: World) -> None:
    """The same key and body as then: no second job."""
    left = installation.left
    again = await acme.client.post("/v1/jobs", json=left["command_body"], headers=left["command"])
    assert (again.status_code, again.json()["id"]) == (202, left["jobs"]["succeeded"])
    assert again.headers["idempotency-replayed"] == "true"


async def still_has_files_bodies_and_limits(
    installation: Installation,
    worlds: dict[str, World],
) -> None:
    """A model's files and a large body are what was stored; a tenant's own limit is in force."""
    acme = worlds["acme"]
    version = await acme.get("/v1/models/plants/versions/1")
    for name, stored in version["artifacts"].items():
        file = await acme.client.get(f"/v1/models/plants/versions/1/files/{name}")
        assert hashlib.sha256(file.content).hexdigest() == stored["sha256"]
    large = max(installation.left["webhooks"], key=lambda one: len(one["body"]))
    body = await acme.client.get(f"/v1/requests/{large['request_id']}/body")
    assert body.text == large["body"]
    limits = {one["name"]: one for one in (await worlds["globex"].get("/v1/limits"))["data"]}
    assert (limits["max_webhook_depth"]["value"], limits["max_webhook_depth"]["origin"]) == (
        7,
        "tenant",
    )


async def datasets_are_decided(installation: Installation, acme: World) -> None:
    """Those that waited for a worker, and that was not on Kafka yet."""
    ids = installation.left["datasets"]
    states = {name: (await acme.decided(one))["state"] for name, one in ids.items()}
    assert states == {
        "valid": "validated",
        "rejected": "rejected",
        "waited": "validated",
        "unsent": "validated",
    }


async def replays_are_done(installation: Installation, acme: World) -> None:
    """The one that was running, and one of a dead letter that this code has only read."""
    left = installation.left
    body = {"filter": {"ids": [left["letters"][3]]}, "reason": "after the upgrade", "expected": 1}
    made = await acme.client.post("/v1/replays", json=body)
    assert made.status_code == 202, made.text
    for replay in (left["replays"]["running"], made.json()["id"]):
        done = await eventually(
            lambda of=replay: acme.get(f"/v1/replays/{of}"),  # type: ignore[misc]
            lambda one: one["state"] == "finished",
            seconds=60,
        )
        assert done["counts"]["applied"] == 1, done
    states = {one["id"]: one["state"] for one in (await acme.get("/v1/dead-letters"))["data"]}
    assert [states[letter] for letter in left["letters"]] == [
        "applied",
        "discarded",
        "applied",
        "applied",
    ]


async def positions_of(installation: Installation) -> dict[tuple[str, str, int], int]:
    """How far each consumer and projection is."""
    rows = await installation.sql("SELECT consumer, topic, partition, next FROM positions")
    return {(row["consumer"], row["topic"], row["partition"]): row["next"] for row in rows}


async def everything_is_consumed(installation: Installation) -> bool:
    """Nothing waits to be sent, read, worked off or replayed."""
    (waiting,) = await installation.sql("""
        SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM outbox_held)
             + (SELECT count(*) FROM work WHERE state IN ('ready', 'leased')) AS left
    """)
    settings = installation.settings
    url = settings.postgres_url.get_secret_value()
    pipeline = engine(url, "headrace_pipeline", "test", pool_size=1)
    try:
        found = await consumer_lags(pipeline, settings.kafka, settings.kafka_topic_prefix)
    finally:
        await pipeline.dispose()
    return waiting["left"] == 0 and all(one.state == "running" and one.lag == 0 for one in found)


async def used(world: World) -> dict[str, Any]:
    """What a tenant has used this month, by meter."""
    found = (await world.get("/v1/usage", window="month"))["data"]
    return {row["meter"]: row for row in found}


async def used_once_each(installation: Installation, worlds: dict[str, World]) -> None:
    """The ledger has each webhook, job and row once, and the read model says the same."""
    sent = Counter(one["tenant"] for one in installation.left["webhooks"])
    expected = {"acme": sent["acme"] + 1, "globex": sent["globex"]}
    usage = {tenant: await used(world) for tenant, world in worlds.items()}
    assert {tenant: one["webhook_events"]["value"] for tenant, one in usage.items()} == expected
    acme = usage["acme"]
    (counted,) = await installation.sql("""
        SELECT (SELECT count(*) FROM jobs WHERE state = 'succeeded') AS jobs,
               (SELECT count(*) FROM model_versions) AS versions,
               (SELECT sum(rows) FROM datasets WHERE state = 'validated') AS rows
    """)
    assert acme["jobs"]["value"] == acme["jobs"]["records"] == counted["jobs"]
    assert counted["versions"] == counted["jobs"]
    assert acme["dataset_rows"]["value"] == counted["rows"]
    assert all(acme[meter]["value"] >= value for meter, value in installation.left["usage"].items())


async def each_event_once(installation: Installation) -> None:
    """On the topics: no id twice, and each job's versions in order without a gap."""
    settings = installation.settings
    versions: dict[str, list[int]] = {}
    for topic in (WEBHOOKS, DATASETS, JOBS, MODELS, USAGE):
        found = await records(settings.kafka, topic, settings.kafka_topic_prefix)
        assert found, topic.name
        times = Counter(one["id"] for one in found)
        assert [one for one, often in times.items() if often > 1] == []
        for one in found if topic is JOBS else ():
            if one["aggregateversion"]:
                versions.setdefault(one["subject"], []).append(one["aggregateversion"])
    assert set(installation.left["jobs"].values()) <= set(versions)
    assert all(found == [*range(1, len(found) + 1)] for found in versions.values()), versions
