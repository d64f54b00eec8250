"""Rows gather and are sealed: by count, into the right file, once, whatever breaks in between."""

import asyncio
import json
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import text

from compose.clock import Clock
from compose.storage.store import hold
from consumers.work import store as work
from consumers.work.child_result import Crashed, Finished
from consumers.work.store import LeaseLost
from consumers.work.subprocess_runner import working_directory
from consumers.work.work_item import WorkItem
from consumers.work.worker import Worker
from tests.eventually import eventually
from tests.integration.consumers import rows
from tests.integration.streams.gathering import Gathering, action, webhooks


def numbers(cells: list[list[str]]) -> list[int]:
    return [int(row[0]) for row in cells]


async def claimed(gathering: Gathering, lease_seconds: float = 0.01) -> WorkItem:
    async with gathering.bench.pipeline.begin() as tx:
        piece = await work.claim(tx, "sealing", lease_seconds)
    assert piece is not None
    return piece


async def test_every_third_row_seals_a_version_with_all_rows_so_far(gathering: Gathering) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action())
    await gathering.take(*webhooks(tenant, source, range(1, 8)))
    first, second = await gathering.sealed(2)
    assert first.content == b"a,b\r\n1,t1\r\n2,t2\r\n3,t3\r\n"
    assert numbers(second.cells) == [1, 2, 3, 4, 5, 6]
    assert {first.name, second.name} == {"d"}
    stream = await gathering.stream()
    assert (stream["open_rows"], stream["sealed"], stream["cut"]) == (1, 2, 6)
    assert await gathering.kept() == [1, 2, 3, 4, 5, 6, 7]
    assert await gathering.said("job.requested") == []


async def test_a_version_of_its_batch_only_leaves_no_sealed_row(gathering: Gathering) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action(window="batch"))
    await gathering.take(*webhooks(tenant, source, range(1, 8)))
    assert [numbers(one.cells) for one in await gathering.sealed(2)] == [[1, 2, 3], [4, 5, 6]]
    assert await gathering.kept() == [7]


async def test_a_window_is_the_newest_rows_and_never_less_than_the_batch(
    gathering: Gathering,
) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action(window_rows=4))
    await gathering.take(*webhooks(tenant, source, range(1, 7)))
    assert [numbers(one.cells) for one in await gathering.sealed(2)] == [[1, 2, 3], [3, 4, 5, 6]]
    assert await gathering.kept() == [3, 4, 5, 6]
    many = [{"n": number, "b": None} for number in range(7, 17)]
    await gathering.take(
        rows.webhook(tenant, source, json.dumps(many))
    )  # one event's rows are never parted
    assert numbers((await gathering.sealed(3))[-1].cells) == list(range(7, 17))


async def test_each_version_starts_its_training(gathering: Gathering) -> None:
    tenant = uuid4()
    train = {"target": "b", "model": "line", "options": {"seed": 7}}
    source = await gathering.source(tenant, action(train=train))
    await gathering.take(*webhooks(tenant, source, range(1, 7)))
    versions = await gathering.sealed(2)
    asked = await gathering.said("job.requested")
    assert [one["dataset_id"] for one in asked] == [str(one.dataset_id) for one in versions]
    assert [(one["target"], one["model"], one["options"], one["origin"]) for one in asked] == [
        ("b", "line", {"seed": 7}, "rows")
    ] * 2
    assert len({one["job_id"] for one in asked}) == 2


async def test_cells_are_exact(gathering: Gathering) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action({"a": "n", "b": "b"}, every_rows=8))
    odd = ['say "no", twice\r\nor\nnot', " blank ", "=1+1", "é😀\u2028", "", "a,b", "\ufeff", None]
    values = [1.5, -0.0, 1e300, 2**70, True, False, 0.1, 10**22 * 1.0]
    payload = [{"n": value, "b": cell} for value, cell in zip(values, odd, strict=True)]
    await gathering.take(rows.webhook(tenant, source, json.dumps(payload)))
    (version,) = await gathering.sealed(1)
    assert version.content.decode() == (
        'a,b\r\n1.5,"say ""no"", twice\r\nor\nnot"\r\n-0.0, blank \r\n1e+300,=1+1\r\n'
        '1180591620717411303424,é😀\u2028\r\ntrue,\r\nfalse,"a,b"\r\n0.1,\ufeff\r\n1e+22,\r\n'
    )


async def test_an_event_that_comes_again_after_its_trace_is_gone_adds_nothing(
    gathering: Gathering,
) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action())
    events = webhooks(tenant, source, [1, 2])
    await gathering.take(*events)
    async with gathering.bench.pipeline.begin() as tx:
        await tx.execute(text("SET LOCAL ROLE headrace_owner"))  # the pipeline removes none of it
        await tx.execute(text("DELETE FROM processed"))
    await gathering.take(*events, *webhooks(tenant, source, [3]))
    (version,) = await gathering.sealed(1)
    assert numbers(version.cells) == [1, 2, 3]
    assert await gathering.bench.value("SELECT count(*) FROM dead_letters") == 0


async def test_what_is_no_row_is_a_dead_letter_and_the_rest_goes_on(gathering: Gathering) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action())
    first, second, third = webhooks(tenant, source, [1, 2, 3])
    bad = [
        '{"n": [1], "b": "x"}',
        "no json",
        '"text"',
        '{"n": "\\u0000"}',
        '{"n": "a\\rb"}',
        '[{"n": 1}, 7]',
    ]
    poison = [rows.webhook(tenant, source, body) for body in bad]
    ignored = [
        rows.webhook(tenant, source, body)
        for body in ("{}", "[]", "null", '{"n": null, "zen": "hm"}')
    ]
    await gathering.take(first, *poison, second, *ignored, third)
    letters = await gathering.bench.ask(
        'SELECT error_class, error FROM dead_letters ORDER BY "offset"'
    )
    assert {one["error_class"] for one in letters} == {"user_config"}
    assert len(letters) == len(bad)
    assert "`columns.a`: `n` gave a list of 1 in row 1" in letters[0]["error"]
    (version,) = await gathering.sealed(1)
    assert numbers(version.cells) == [1, 2, 3]


async def attempt(gathering: Gathering, worker: Worker, piece: WorkItem) -> Finished:
    """The worker's own steps up to the finish; the file is delivered."""
    async with gathering.bench.pipeline.begin() as tx:
        begins, _ = await worker.task.start(tx, piece, Clock().now())
    assert begins
    with working_directory() as directory:
        result = await worker._child(piece, directory, asyncio.Event())
        assert isinstance(result, Finished)
        await worker.task.deliver(piece, directory, result)
    return result


async def test_a_crash_before_the_commit_of_a_seal_seals_once(gathering: Gathering) -> None:
    """The file is there and everything is written, and nothing is committed.

    Then a zombie comes back.
    """
    tenant = uuid4()
    source = await gathering.source(
        tenant, action(window="batch", train={"target": "b", "model": "m", "options": {}})
    )
    await gathering.take(*webhooks(tenant, source, [1, 2, 3]))
    async with gathering.parts() as (_, worker):
        piece = await claimed(gathering)
        result = await attempt(gathering, worker, piece)
        async with gathering.bench.pipeline.connect() as tx:
            before = await worker.task.finish(tx, piece, result, Clock().now())
            await tx.rollback()
        (version,) = await gathering.sealed(1)
        assert numbers(version.cells) == [1, 2, 3]
        events = await gathering.bench.ask("SELECT id FROM events ORDER BY seq")
        assert [row["id"] for row in events] == [
            event.id for event in before
        ]  # a repeat says the same
        with pytest.raises(LeaseLost):
            await worker._well(lambda tx: worker._finish(tx, piece, result, returned=False))
    assert len(await gathering.bench.said()) == 2
    assert await gathering.kept() == []


async def test_a_batch_whose_every_attempt_is_lost_is_taken_up_again(gathering: Gathering) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action())
    await gathering.take(*webhooks(tenant, source, [1, 2, 3]))
    async with gathering.parts() as (_, worker):
        piece = await claimed(gathering, 60)
        async with gathering.bench.pipeline.begin() as tx:
            assert await worker.task.give_up(tx, piece, "worker_lost", "gone", Clock().now()) == ()
            await work.done(tx, piece)
    async with gathering.bench.pipeline.begin() as tx:
        waiting = (
            "UPDATE work SET ready_at = headrace_clock() WHERE state = 'ready' AND "
            "ready_at > headrace_clock()"
        )
        assert (await tx.execute(text(waiting))).rowcount == 1
    async with gathering.parts() as (_, worker):
        piece = await claimed(gathering, 60)
        async with gathering.bench.pipeline.begin() as tx:  # what is not a file is not a version
            assert await worker.task.finish(tx, piece, Crashed("odd"), Clock().now()) == ()
            await work.done(tx, piece)
    async with gathering.bench.pipeline.begin() as tx:
        assert (await tx.execute(text(waiting))).rowcount == 1
    (version,) = await gathering.sealed(1)
    assert numbers(version.cells) == [1, 2, 3]


async def test_rows_of_a_tenant_without_room_wait_for_it(gathering: Gathering) -> None:
    """They were answered 202 and are nowhere else; no version of them is rejected."""
    full = with_quota(gathering, 100)
    tenant = uuid4()
    source = await full.source(tenant, action(window="batch"))
    await full.take(*webhooks(tenant, source, range(1, 7)))
    ready = "SELECT count(*) FROM work WHERE state <> 'done' AND ready_at <= headrace_clock()"
    stop = asyncio.Event()
    async with full.parts() as (_, worker):
        async with full.bench.pipeline.begin() as tx:
            await hold(tx, tenant, f"tenants/{tenant}/datasets/other", 95, 100)
        running = asyncio.create_task(worker.run(stop))
        await eventually(lambda: full.bench.value(ready), lambda found: found == 0)
        stop.set()
        await running
    assert await full.kept() == [1, 2, 3, 4, 5, 6]
    assert (
        await full.bench.value("SELECT count(*) FROM stream_batches WHERE sealed_at IS NOT NULL")
        == 0
    )
    assert await full.said("dataset.rejected") == []
    async with full.bench.pipeline.begin() as tx:
        assert (
            await tx.execute(
                text("UPDATE work SET ready_at = headrace_clock() WHERE state = 'ready'")
            )
        ).rowcount == 1
    assert [numbers(one.cells) for one in await gathering.sealed(2)] == [[1, 2, 3], [4, 5, 6]]
    assert await gathering.kept() == []


async def test_a_version_larger_than_the_whole_quota_is_rejected_and_the_next_is_sealed(
    gathering: Gathering,
) -> None:
    """It would wait for ever, and what comes after it too."""
    small = with_quota(gathering, 100)
    tenant = uuid4()
    source = await small.source(tenant, action({"a": "n", "b": "s"}, window="batch"))
    await small.take(
        *[
            rows.webhook(tenant, source, json.dumps({"n": n, "s": "x" * (200 if n < 4 else 2)}))
            for n in range(1, 7)
        ]
    )
    (version,) = await small.sealed(1)
    assert numbers(version.cells) == [4, 5, 6]
    (told,) = await small.said("dataset.rejected")
    assert told["findings"][0]["rule"] == "larger_than_quota"
    assert "limit of 100" in told["reason"]


def with_quota(gathering: Gathering, storage_bytes: int) -> Gathering:
    """The same log for tenants that may store so much."""
    settings = gathering.bench.settings.model_copy(update={"tenant_storage_bytes": storage_bytes})
    return Gathering(replace(gathering.bench, settings=settings))
