"""Positions under real concurrency: of two writers of one partition one commits, and the other
is told.
"""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from compose.postgres.positions import Positions
from schemas.ports import PositionCheck
from schemas.record import Span
from tests.eventually import eventually

TOPIC = "headrace.jobs"
EFFECT = text("INSERT INTO processed (event_id, consumer) VALUES (gen_random_uuid(), :writer)")


async def write(pipeline: AsyncEngine, spans: list[Span], writer: str) -> PositionCheck:
    """One writer's transaction: compare, effect, move."""
    positions = Positions(pipeline, "c")
    async with pipeline.begin() as tx:
        standing = await positions.check(tx, spans)
        if standing is PositionCheck.HERE:
            await tx.execute(EFFECT, {"writer": writer})
            await positions.advance(tx, spans)
    return standing


async def effects(pipeline: AsyncEngine) -> int:
    async with pipeline.begin() as tx:
        return int((await tx.execute(text("SELECT count(*) FROM processed"))).scalar_one())


async def others_wait(pipeline: AsyncEngine, count: int) -> None:
    async def waiting() -> int:
        async with pipeline.begin() as tx:
            return int(
                (
                    await tx.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))
                ).scalar_one()
            )

    await eventually(waiting, lambda found: found >= count, seconds=8)


async def test_a_first_start_begins_where_the_log_does(pipeline: AsyncEngine) -> None:
    """No row yet: the delivery's start counts, whatever it is, and is a row from then on."""
    positions = Positions(pipeline, "c")
    assert await positions.read([(TOPIC, 0)]) == {}

    assert (
        await write(pipeline, [Span(TOPIC, 0, 17, 20), Span(TOPIC, 3, 0, 1)], "a")
        is PositionCheck.HERE
    )

    assert await positions.read([(TOPIC, 0), (TOPIC, 3), (TOPIC, 5)]) == {
        (TOPIC, 0): 20,
        (TOPIC, 3): 1,
    }
    assert await Positions(pipeline, "other").read([(TOPIC, 0)]) == {}
    assert await Positions(pipeline, "c", 2).read([(TOPIC, 0)]) == {}


async def test_a_rolled_back_first_start_leaves_nothing(pipeline: AsyncEngine) -> None:
    positions = Positions(pipeline, "c")
    async with pipeline.connect() as tx:
        assert await positions.check(tx, [Span(TOPIC, 0, 17, 20)]) is PositionCheck.HERE
        await tx.rollback()

    assert await positions.read([(TOPIC, 0)]) == {}
    assert await write(pipeline, [Span(TOPIC, 0, 5, 6)], "a") is PositionCheck.HERE


@pytest.mark.parametrize("first_start", [True, False])
async def test_a_writer_that_waited_for_another_cannot_commit(
    pipeline: AsyncEngine, first_start: bool
) -> None:
    """The second is held at the lock until the first commits.

    With the same delivery it has passed, else elsewhere.
    """
    if not first_start:
        await write(pipeline, [Span(TOPIC, 0, 0, 10)], "before")
    span = Span(TOPIC, 0, 10, 20)
    positions = Positions(pipeline, "c")

    async with pipeline.begin() as tx:
        assert await positions.check(tx, [span]) is PositionCheck.HERE
        rivals = [
            asyncio.create_task(write(pipeline, [one], "b"))
            for one in (span, Span(TOPIC, 0, 10, 15))
        ]
        await others_wait(pipeline, 2)
        await tx.execute(EFFECT, {"writer": "a"})
        await positions.advance(tx, [span])
    same, shorter = await asyncio.gather(*rivals)

    assert (same, shorter) == (PositionCheck.PASSED, PositionCheck.ELSEWHERE)
    assert await effects(pipeline) == (1 if first_start else 2)


async def test_many_writers_race_and_every_record_counts_once(pipeline: AsyncEngine) -> None:
    """Eight writers with batches of their own sizes, from wherever they believe to be, over two
    partitions.
    """
    applied: list[int] = []

    async def writer(size: int) -> None:
        positions = Positions(pipeline, "c")
        while True:
            known = await positions.read([(TOPIC, 0), (TOPIC, 1)])
            starts = [known.get((TOPIC, partition), 0) for partition in (0, 1)]
            if min(starts) >= 120:
                return
            spans = [
                Span(TOPIC, partition, start, start + size)
                for partition, start in enumerate(starts)
            ]
            if await write(pipeline, spans, f"w{size}") is PositionCheck.HERE:
                applied.append(size)

    await asyncio.gather(*(writer(size) for size in (1, 2, 3, 4, 5, 6, 7, 8)))

    at = await Positions(pipeline, "c").read([(TOPIC, 0), (TOPIC, 1)])
    assert at == {(TOPIC, 0): sum(applied), (TOPIC, 1): sum(applied)}
    assert await effects(pipeline) == len(applied)


async def test_a_lost_answer_to_a_commit_is_seen(pipeline: AsyncEngine) -> None:
    spans = [Span(TOPIC, 0, 0, 5), Span(TOPIC, 1, 0, 2)]
    assert await write(pipeline, spans, "a") is PositionCheck.HERE

    assert await write(pipeline, spans, "a") is PositionCheck.PASSED
    assert await effects(pipeline) == 1


@pytest.mark.parametrize(
    "span",
    [
        pytest.param(Span(TOPIC, 0, 12, 15), id="gap: records between were skipped"),
        pytest.param(Span(TOPIC, 0, 5, 15), id="overlap: some were applied"),
        pytest.param(Span(TOPIC, 0, 5, 8), id="behind: all were applied, and more"),
    ],
)
async def test_anything_else_is_elsewhere(pipeline: AsyncEngine, span: Span) -> None:
    await write(pipeline, [Span(TOPIC, 0, 0, 10)], "before")

    assert await write(pipeline, [span], "a") is PositionCheck.ELSEWHERE
    assert await Positions(pipeline, "c").read([(TOPIC, 0)]) == {(TOPIC, 0): 10}


async def test_one_partition_here_and_one_passed_is_elsewhere(pipeline: AsyncEngine) -> None:
    """Half of it was applied one by one before the world broke: neither again nor done."""
    await write(pipeline, [Span(TOPIC, 0, 0, 5)], "before")

    assert (
        await write(pipeline, [Span(TOPIC, 0, 0, 5), Span(TOPIC, 1, 0, 5)], "a")
        is PositionCheck.ELSEWHERE
    )
    assert await Positions(pipeline, "c").read([(TOPIC, 1)]) in ({}, {(TOPIC, 1): 0})
    assert await write(pipeline, [Span(TOPIC, 1, 0, 5)], "a") is PositionCheck.HERE


async def test_partitions_are_locked_in_one_order(pipeline: AsyncEngine) -> None:
    """Deliveries of many partitions, handed over in any order of their records, never lock
    crosswise.
    """
    spans = [Span(TOPIC, partition, 0, 1) for partition in range(6)]

    async def one(tx: AsyncConnection, number: int) -> PositionCheck:
        return await Positions(pipeline, "c").check(tx, spans if number % 2 else spans[::-1])

    for _ in range(20):
        async with pipeline.connect() as left, pipeline.connect() as right:

            async def and_free(tx: AsyncConnection, number: int) -> PositionCheck:
                standing = await one(tx, number)
                await tx.rollback()
                return standing

            assert set(await asyncio.gather(and_free(left, 0), and_free(right, 1))) == {
                PositionCheck.HERE
            }
