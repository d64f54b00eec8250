"""Datasets by their names, and what the dead letters of mappings say."""

import gzip
import json
import logging
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from compose.processes.replays import published
from compose.telemetry.logged_outbox import append_and_log
from consumers.ingest import store as datasets
from consumers.ingest.dataset import Dataset, State
from consumers.ingest.mapping import job_of
from consumers.jobs import store as jobs_of_owner
from consumers.jobs.job import cancel, fail
from producers.webhooks.verification.standard_webhooks import sign
from schemas.decode import read
from schemas.log import entry_of
from tests.acceptance.answers import problem
from tests.factories import new_id
from tests.integration.consumers import rows
from tests.integration.replays.field import RIGHT, Field, train


async def version_of(field: Field, number: int | None, state: State = "validated") -> Dataset:
    """A version of the dataset `wine`, made at its own time; None has no number yet."""
    async with field.bench.pipeline.begin() as tx:
        given = Dataset(
            field.tenant,
            new_id(),
            "wine",
            state,
            "tenants/x/datasets/y",
            10,
            "00",
            1,
            (await field.bench.value("SELECT headrace_clock()")) + timedelta(seconds=number or 9),
            number,
            20,
            rows.COLUMNS,
            reason="no table" if state == "rejected" else None,
        )
        await datasets.create(tx, [given])
    return given


async def jobs(field: Field) -> list[Any]:
    found = await field.bench.ask("SELECT dataset_id FROM jobs ORDER BY created_at, id")
    return [row["dataset_id"] for row in found]


async def test_a_name_stands_for_its_newest_valid_version(field: Field) -> None:
    source = await field.world.source("ci", train({**RIGHT, "dataset_id": "'wine'"}))
    unknown = await field.world.source("other", train({**RIGHT, "dataset_id": "'wi ne'"}))
    await version_of(field, None, "submitted")
    rejected = await version_of(field, None, "rejected")
    first = [await field.received(source, 1), await field.received(unknown, 1)]
    await field.consumed(*(event for _, event in first))
    letters = [row["error"] for row in await field.bench.ask("SELECT error FROM dead_letters")]
    assert sorted(letters) == [
        f"`dataset_id`: `'{name}'` gave '{name}'; there is no dataset of this name with a valid "
        "version "
        "(mapping version 1)"
        for name in ("wi ne", "wine")
    ]

    newest = await version_of(field, 2)
    await version_of(field, 1)
    await field.consumed(*[(await field.received(source, number))[1] for number in (2, 3)])
    asked = await field.bench.ask("SELECT value FROM events WHERE type = 'job.requested'")
    assert all(str(newest.id).encode() in bytes(row["value"]) for row in asked)
    assert len(asked) == 2

    # The same at the API; a name without a valid version is refused at once.
    body = {"kind": "train", "dataset_id": "wine", "target": "target", "model": "wine"}
    taken = await field.world.client.post("/v1/jobs", json=body)
    assert taken.status_code == 202, taken.text
    asked = await field.bench.ask("SELECT value FROM events WHERE type = 'job.requested'")
    assert sum(str(newest.id).encode() in bytes(row["value"]) for row in asked) == 3
    for name in ("grape", "wine2"):
        answer = await field.world.client.post("/v1/jobs", json={**body, "dataset_id": name})
        assert f"no dataset named '{name}'" in problem(answer, 404, "dataset_not_found")["message"]
    problem(
        await field.world.client.post("/v1/jobs", json={**body, "dataset_id": "a/b"}),
        422,
        "invalid_request",
    )
    listed = await field.world.get("/v1/datasets", name="wine", state="rejected")
    assert [row["id"] for row in listed["data"]] == [str(rejected.id)]
    assert (await field.world.get("/v1/datasets", name="grape"))["data"] == []


async def test_letters_are_grouped_by_field_and_stay_in_their_group(field: Field) -> None:
    source, letters, _ = await field.dead(3)
    (group,) = (await field.world.get("/v1/dead-letters/groups"))["data"]
    wanted = (
        "`dataset_id`: `data.set` gave null; expected a dataset's id or name (mapping version 1)"
    )
    assert (group["count"], group["error"]) == (3, wanted)

    # It fails again: as before, and then with another field.
    for mapping in ({**RIGHT, "dataset_id": "data.dataset"}, {**RIGHT, "model": "`7`"}):
        await field.mend(source, train(mapping))
        replay = await field.of_ids(letters, kind="dead_letters")
        await field.drain()
        assert await field.counts(replay) == {"failed_again": 3}
        (again,) = (await field.world.get("/v1/dead-letters/groups"))["data"]
        assert (again["fingerprint"], again["parked"]) == (group["fingerprint"], 3)
    assert again["error"].startswith("`model`: `'7'` gave 7; expected a model's name")


ROWS = {
    "kind": "rows",
    "dataset": "readings",
    "each": "rows",
    "columns": {"celsius": "celsius", "n": "n"},
}


async def test_what_is_around_a_payload_does_not_lose_its_rows(field: Field) -> None:
    """A content coding, a byte order mark, half an emoji where no column looks: 12 rows each."""
    source = await field.world.source("sensor", ROWS)
    readings = {"note": "cut \ud83d", "rows": [{"n": n, "celsius": n / 4} for n in range(12)]}
    body = json.dumps(readings).encode()
    bodies = {
        "gzip": (gzip.compress(body), "gzip"),
        "deflate": (zlib.compress(b"\xef\xbb\xbf" + body), "deflate"),
        "UTF-16": (json.dumps(readings).encode("utf-16"), "identity"),
        "no-UTF-8": (body.replace(b"cut", b"\xff\xfe"), "identity"),
    }
    for name, (sent, coding) in bodies.items():
        headers = {
            **sign(sent, source["secret"], message_id=name, now=datetime.now(UTC)),
            "content-type": "application/json",
            "content-encoding": coding,
        }
        url = f"/hooks/{source['id']}"
        answer = await field.world.client.post(url, content=sent, headers=headers)
        assert answer.status_code == 202, answer.text
        async with field.bench.pipeline.begin() as tx:
            record = await published(tx, field.tenant, UUID(answer.json()["event_id"]))
        assert record is not None
        await field.consumed(read(record))
    assert await field.bench.value("SELECT count(*) FROM dead_letters") == 0
    rows_of = "SELECT event_id, count(*) AS n FROM stream_rows GROUP BY event_id"
    assert [row["n"] for row in await field.bench.ask(rows_of)] == [12] * len(bodies)

    # Tried before: the same payload, and one in which a column reads the odd text.
    path = f"/v1/sources/{source['id']}/dry-run"
    asked = json.dumps({"payload": readings}).encode()
    headers = {"content-type": "application/json"}
    tried = await field.world.client.post(path, content=asked, headers=headers)
    assert tried.status_code == 200, tried.text
    assert len(tried.json()["becomes"]["rows"]) == 12
    readings["rows"][3]["n"] = "\ude00"  # type: ignore[index]
    asked = json.dumps({"payload": readings}).encode()
    unfit = problem(
        await field.world.client.post(path, content=asked, headers=headers), 422, "unmappable"
    )
    assert unfit["message"].startswith(
        "`columns.n`: `n` gave '\\ude00' in row 4; it has a character"
    )


async def test_a_delivery_is_listed_with_its_source_and_its_job(field: Field) -> None:
    source = await field.world.source("ci", train(RIGHT))
    (first, event), (second, _) = await field.received(source, 1), await field.received(source, 2)
    async with field.bench.pipeline.begin() as tx:
        job = replace(await rows.given_job(tx, field.tenant, "accepted"), id=job_of(event.id))
        await jobs_of_owner.create(tx, [job])
    listed = {row["id"]: row for row in (await field.world.get("/v1/requests"))["data"]}
    assert {one["source_name"] for one in listed.values()} == {"ci"}
    assert (listed[first]["job_id"], listed[second]["job_id"]) == (str(job.id), None)
    shown = await field.world.get(f"/v1/requests/{first}")
    assert (shown["source_name"], shown["job_id"]) == ("ci", str(job.id))
    assert (await field.world.client.delete(f"/v1/sources/{source['id']}")).status_code == 204
    gone = (await field.world.get("/v1/requests"))["data"]
    assert {(row["source_name"], row["source_id"]) for row in gone} == {(None, source["id"])}


async def test_dead_letters_and_ends_of_jobs_are_a_line_each(
    field: Field, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    _, (letter,), (event,) = await field.dead()
    (line,) = [one for one in caplog.records if "dead letter" in one.getMessage()]
    assert f"ingest: dead letter {letter}, user_config" in line.getMessage()
    assert f"event {event.id}, tenant {field.tenant}" in line.getMessage()
    assert "wine" not in line.getMessage()
    fields = line.__dict__["fields"]
    assert (fields["dead_letter_id"], fields["event_id"]) == (letter, str(event.id))

    now = event.time
    async with field.bench.pipeline.begin() as tx:
        failed, canceled = [await rows.given_job(tx, field.tenant, "queued") for _ in range(2)]
        message = "a value of the file"
        ends = [
            fail(
                failed, "user_data", "out_of_range", message, cause=new_id(), by="training", at=now
            ),
            cancel(canceled, "somebody's reason", cause=new_id(), by="ingest", at=now),
        ]
        await append_and_log(tx, [entry_of(one.event) for one in ends])
    told = [one.getMessage() for one in caplog.records if one.name == append_and_log.__module__]
    assert told == [
        f"job {failed.id} failed (user_data/out_of_range), tenant {field.tenant}",
        f"job {canceled.id} canceled, tenant {field.tenant}",
    ]
