"""Streams by the clock, by another shape, side by side, and under contention."""

import asyncio
import json
from collections import Counter
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.event import Event
from tests.eventually import eventually
from tests.integration.consumers import rows
from tests.integration.streams.gathering import Gathering, action, webhooks
from tests.integration.work.queue import later

ROUNDS = 8


def numbers(cells: list[list[str]]) -> list[int]:
    return [int(row[0]) for row in cells]


async def test_what_is_open_long_enough_is_sealed_once(
    gathering: Gathering, owner: AsyncEngine
) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action(every_seconds=60))
    await gathering.take(*webhooks(tenant, source, [1, 2]))
    async with gathering.parts() as (duty, _), gathering.parts() as (other, _):
        assert await duty.once() == 0
        await later(owner, 59)
        assert await duty.once() == 0
        await later(owner, 2)
        assert sorted(await asyncio.gather(duty.once(), other.once(), duty.once())) == [0, 0, 1]
        (version,) = await gathering.sealed(1)
        assert numbers(version.cells) == [1, 2]
        stream = await gathering.stream()
        assert (stream["open_rows"], stream["opened_at"], stream["seal_at"]) == (0, None, None)
        await later(owner, 3600)
        assert await duty.once() == 0  # nothing is open
        await gathering.take(*webhooks(tenant, source, [3]))
        assert await duty.once() == 0  # its time begins with its own first row
        await later(owner, 61)
        assert await duty.once() == 1
    assert numbers((await gathering.sealed(2))[-1].cells) == [1, 2, 3]


async def test_the_duty_runs_until_it_is_stopped(gathering: Gathering, owner: AsyncEngine) -> None:
    tenant, stop = uuid4(), asyncio.Event()
    source = await gathering.source(tenant, action(every_seconds=10))
    await gathering.take(*webhooks(tenant, source, [1]))
    await later(owner, 11)
    async with gathering.parts() as (duty, _):
        running = asyncio.create_task(duty.run(stop))
        await eventually(gathering.left)
        stop.set()
        await asyncio.wait_for(running, 120)
    assert len(await gathering.sealed(1)) == 1


async def test_changed_columns_seal_what_is_open_and_begin_anew(gathering: Gathering) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action())
    await gathering.take(*webhooks(tenant, source, range(1, 6)))
    await gathering.change(source, action({"a": "n", "c": "b"}))
    await gathering.take(*webhooks(tenant, source, [6, 7]))
    first, second = (await gathering.sealed(2))[:2]
    assert (numbers(first.cells), numbers(second.cells)) == ([1, 2, 3], [1, 2, 3, 4, 5])
    assert await gathering.kept() == [1, 2]  # of the new stream; the old one is over
    await gathering.take(*webhooks(tenant, source, [8]))
    third = (await gathering.sealed(3))[-1]
    assert third.content.startswith(b"a,c\r\n")
    assert numbers(third.cells) == [6, 7, 8]
    assert await gathering.bench.value("SELECT count(*) FROM streams") == 2


async def test_another_seal_is_no_other_shape(gathering: Gathering) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action())
    await gathering.take(*webhooks(tenant, source, [1, 2]))
    await gathering.change(source, action(every_rows=5))
    await gathering.take(*webhooks(tenant, source, [3, 4]))
    assert (await gathering.stream())["open_rows"] == 4
    await gathering.take(*webhooks(tenant, source, [5]))
    assert numbers((await gathering.sealed(1))[0].cells) == [1, 2, 3, 4, 5]


async def test_a_changed_expression_is_another_shape_and_an_idle_stream_leaves_nothing(
    gathering: Gathering,
) -> None:
    tenant = uuid4()
    source = await gathering.source(tenant, action())
    await gathering.take(*webhooks(tenant, source, [1, 2, 3]))
    await gathering.sealed(1)
    await gathering.change(source, action({"a": "n", "b": "'fixed'"}))
    await gathering.take(*webhooks(tenant, source, [4]))
    assert await gathering.kept() == [1]
    assert await gathering.left() == 0


async def test_two_sources_of_one_name_make_versions_side_by_side(gathering: Gathering) -> None:
    tenant = uuid4()
    one, two = [await gathering.source(tenant, action()) for _ in range(2)]
    mixed = [*webhooks(tenant, one, [1, 2, 3]), *webhooks(tenant, two, [11, 12, 13, 14])]
    await gathering.take(*mixed[::2], *mixed[1::2])
    versions = await gathering.sealed(2)
    assert {version.name for version in versions} == {"d"}
    by_source = sorted(numbers(version.cells) for version in versions)
    assert [(len(cells), {number > 10 for number in cells}) for cells in by_source] == [
        (3, {False}),
        (3, {True}),
    ]


async def test_many_at_once_lose_and_double_no_row(
    gathering: Gathering, owner: AsyncEngine
) -> None:
    """Sources of two tenants, fed by five transactions at once, some rolled back, while a duty cuts
    and a worker seals: each row stands in exactly one version of its own source, or is open.
    """
    tenants = [uuid4(), uuid4()]
    given = action({"a": "n", "b": "s"}, window="batch", every_rows=7, every_seconds=10)
    sources = [
        (tenant, await gathering.source(tenant, given)) for tenant in tenants for _ in range(3)
    ]
    handle = gathering.bench.handler("ingest")
    events = [
        rows.webhook(
            tenant,
            source,
            json.dumps([{"n": number * 10 + part, "s": str(source)} for part in range(2)]),
        )
        for number in range(ROUNDS)
        for tenant, source in sources
    ]
    chunks = [events[start::5] for start in range(5)]  # each with events of every source
    stop = asyncio.Event()

    async def feed(chunk: list[Event]) -> None:
        for start in range(0, len(chunk), 5):
            async with gathering.bench.pipeline.connect() as tx:
                await handle(tx, chunk[start : start + 5])
                await tx.rollback()
            async with gathering.bench.pipeline.begin() as tx:
                await handle(tx, chunk[start : start + 5])

    async with gathering.parts() as (duty, worker):
        running = asyncio.create_task(worker.run(stop))
        feeding = [asyncio.create_task(feed(chunk)) for chunk in chunks]
        while not all(task.done() for task in feeding):
            await later(owner, 11)
            await duty.once()
        await asyncio.gather(*feeding)
        stop.set()
        await running
        await later(owner, 11)
        await duty.once()
    versions = await gathering.sealed(
        await gathering.bench.value("SELECT count(*) FROM stream_batches")
    )
    found: Counter[tuple[str, str, int]] = Counter()
    for version in versions:
        assert len({row[1] for row in version.cells}) == 1
        found.update((str(version.tenant), row[1], int(row[0])) for row in version.cells)
    assert found == Counter(
        (str(tenant), str(source), number * 10 + part)
        for number in range(ROUNDS)
        for tenant, source in sources
        for part in range(2)
    )
    assert await gathering.kept() == []
