"""Rows that no version can hold: the tenant is told, and the next batch has its turn."""

import json
from dataclasses import replace
from uuid import uuid4

from consumers.ingest.row_buffers import store
from consumers.ingest.row_buffers.batches import store as batch_store
from schemas.event import Event
from tests.integration.consumers import rows
from tests.integration.runner.bench import Bench
from tests.integration.streams.gathering import Gathering, action

LINE = "x" * 20_000


def wide(numbers: list[int], cell: str) -> str:
    return json.dumps([{"n": number, "b": cell} for number in numbers])


async def test_a_batch_past_the_limit_is_rejected_and_the_next_is_sealed(bench: Bench) -> None:
    settings = bench.settings.model_copy(update={"max_upload_bytes": 50_000})
    gathering = Gathering(replace(bench, settings=settings))
    tenant = uuid4()
    train = {"target": "b", "model": "line", "options": {}}
    source = await gathering.source(tenant, action(window="batch", train=train))
    await gathering.take(rows.webhook(tenant, source, wide([1, 2, 3], LINE)))
    await gathering.take(rows.webhook(tenant, source, wide([4, 5, 6], "y")))
    (version,) = await gathering.sealed(1)
    assert [row[0] for row in version.cells] == ["4", "5", "6"]
    (rejected,) = await gathering.said("dataset.rejected")
    assert "more than 50000 bytes as a file" in rejected["reason"]
    assert [finding["rule"] for finding in rejected["findings"]] == ["file_limit"]
    assert await gathering.kept() == []
    async with bench.pipeline.begin() as tx:
        (stream,) = await store.newest(tx, 5)
    assert (stream["batches"], stream["sealed"]) == (2, 2)
    dataset = await bench.ask(
        "SELECT state, reason, rows FROM datasets WHERE id = :id", id=rejected["dataset_id"]
    )
    assert dataset == [{"state": "rejected", "reason": rejected["reason"], "rows": 3}]

    asked = await gathering.said("job.requested")
    assert next(one["dataset_id"] for one in asked) == rejected["dataset_id"]
    await gathering.take(*_requests(tenant, asked[:1]))
    (failed,) = await gathering.said("job.failed")
    assert (failed["failure"]["class"], failed["failure"]["code"]) == (
        "user_data",
        "dataset_rejected",
    )


def _requests(tenant: object, asked: list[dict[str, str]]) -> list[Event]:
    return [rows.request(tenant, one["dataset_id"], one["job_id"], one["target"]) for one in asked]  # type: ignore[arg-type]


async def test_pages_have_every_row_once_whatever_their_widths(gathering: Gathering) -> None:
    """Wide rows among narrow ones: a page is of bounded bytes."""
    tenant = uuid4()
    source = await gathering.source(tenant, action(every_rows=60, window="batch"))
    payload = [
        {"n": number, "b": "z" * (200_000 if number % 20 == 7 else 3)} for number in range(60)
    ]
    await gathering.take(rows.webhook(tenant, source, json.dumps(payload)))
    async with gathering.bench.pipeline.begin() as tx:
        (found,) = await gathering.bench.ask("SELECT id FROM stream_batches")
        batch = await batch_store.batch(tx, tenant, found["id"])
        page = await batch_store.page(tx, batch, 0, 1000)
    assert sum(len(line) for _, line in page) <= batch_store.PAGE_BYTES + 200_100
    (version,) = await gathering.sealed(1)
    assert [int(row[0]) for row in version.cells] == list(range(60))
