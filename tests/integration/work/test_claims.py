"""Claims with exact caps, leases that run out, and the fence, on the rows themselves."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from consumers.work import store
from consumers.work.store import LeaseLost
from tests.eventually import eventually
from tests.integration.work.queue import claim, later, piece, put, row, taken


async def test_each_piece_goes_to_one(pipeline: AsyncEngine) -> None:
    """Twelve claim at once, again and again, until nothing is left."""
    given = [piece(uuid4()) for _ in range(60)]
    await put(pipeline, *given)

    async def worker() -> list[object]:
        mine: list[object] = []
        while (found := await claim(pipeline, 60)) is not None:
            mine.append(found.subject)
        return mine

    found = [
        subject for mine in await asyncio.gather(*(worker() for _ in range(12))) for subject in mine
    ]

    assert Counter(found) == Counter(one.subject for one in given)


async def test_the_tenant_with_the_least_running_is_first(pipeline: AsyncEngine) -> None:
    """One tenant's hundred do not hold up another's three, even when several claim at the same
    moment.
    """
    many, few, one = uuid4(), uuid4(), uuid4()
    await put(pipeline, *(piece(many, age_seconds=100 - n) for n in range(30)))
    await put(pipeline, *(piece(few, age_seconds=10 - n) for n in range(3)), piece(one))

    order = []
    for _ in range(3):
        order += await asyncio.gather(*(claim(pipeline, 60) for _ in range(3)))
    held = Counter(found.tenant for found in order if found is not None)

    assert held == {many: 5, few: 3, one: 1}
    assert {found.tenant for found in order[:3] if found} == {many, few, one}


async def test_then_priority_then_age(pipeline: AsyncEngine) -> None:
    tenant = uuid4()
    urgent, old, young = piece(tenant, 5), piece(tenant, 0, 50), piece(tenant, 0, 20)
    await put(pipeline, young, old, urgent)

    assert [(await taken(pipeline)).subject for _ in range(3)] == [
        urgent.subject,
        old.subject,
        young.subject,
    ]


async def test_a_subject_is_queued_once(pipeline: AsyncEngine) -> None:
    one = piece(uuid4())
    await put(pipeline, one)
    assert (await taken(pipeline)).attempt == 1

    await put(pipeline, one, one)

    assert await claim(pipeline, 60) is None


async def test_what_is_not_due_waits(pipeline: AsyncEngine, owner: AsyncEngine) -> None:
    await put(pipeline, piece(uuid4(), age_seconds=-3600))

    assert await claim(pipeline) is None
    await later(owner, 3601)
    assert await claim(pipeline) is not None


async def test_a_lease_that_runs_out_is_a_second_attempt(
    pipeline: AsyncEngine, owner: AsyncEngine
) -> None:
    await put(pipeline, piece(uuid4()))
    first = await taken(pipeline)
    async with pipeline.begin() as tx:
        assert await store.heartbeat(tx, first, 30) is None
    assert await claim(pipeline) is None

    await later(owner, 31)
    second = await taken(pipeline)

    assert (second.subject, second.attempt) == (first.subject, 2)
    assert second.token > first.token
    assert await claim(pipeline) is None


async def test_a_zombie_can_do_nothing(pipeline: AsyncEngine, owner: AsyncEngine) -> None:
    await put(pipeline, piece(uuid4()))
    zombie = await taken(pipeline)
    await later(owner, 2)
    holder = await taken(pipeline)

    for act in (store.fence, lambda tx, mine: store.heartbeat(tx, mine, 60)):
        with pytest.raises(LeaseLost):
            async with pipeline.begin() as tx:
                await act(tx, zombie)
    async with pipeline.begin() as tx:
        await store.fence(tx, holder)
        await store.done(tx, holder)
    for gone in (holder, zombie):
        with pytest.raises(LeaseLost):
            async with pipeline.begin() as tx:
                await store.fence(tx, gone)


async def test_attempts_are_counted_and_can_be_given_back(
    pipeline: AsyncEngine, owner: AsyncEngine
) -> None:
    await put(pipeline, piece(uuid4(), max_attempts=2))

    unused = await taken(pipeline)
    async with pipeline.begin() as tx:
        await store.return_unused(tx, unused)
    first = await taken(pipeline)
    assert (unused.attempt, first.attempt, first.token) == (1, 1, 2)
    async with pipeline.begin() as tx:
        await store.release(tx, first, datetime.now(UTC) + timedelta(seconds=20))
    assert await claim(pipeline) is None
    await later(owner, 21)
    second = await taken(pipeline)
    assert (second.attempt, second.last_attempt, second.exhausted) == (2, True, False)
    await later(owner, 2)
    assert (await taken(pipeline)).exhausted


@pytest.mark.parametrize("held", [True, False])
async def test_a_word_to_stop_reaches_who_holds_it_next(pipeline: AsyncEngine, held: bool) -> None:
    one = piece(uuid4(), age_seconds=-0.0 if held else 1.0)
    await put(pipeline, one)
    holder = await taken(pipeline) if held else None

    async with pipeline.begin() as tx:
        await store.ask_to_stop(tx, one.tenant, one.queue, one.subject, "enough")

    if holder is not None:
        async with pipeline.begin() as tx:
            assert await store.heartbeat(tx, holder, 60) == "enough"
    else:
        assert (await taken(pipeline)).cancel_reason == "enough"
    assert (await row(pipeline))["state"] == "leased"


@pytest.mark.parametrize("act", ["finished", "extended", "given back for later"])
async def test_a_claim_leaves_what_was_moved_while_it_waited(
    pipeline: AsyncEngine, owner: AsyncEngine, act: str
) -> None:
    """The lease ran out, and its holder is in the middle of a transaction when somebody else
    claims.
    """
    await put(pipeline, piece(uuid4()))
    holder = await taken(pipeline)
    await later(owner, 5)
    async with pipeline.begin() as tx:
        if act == "finished":
            await store.done(tx, holder)
        elif act == "extended":
            assert await store.heartbeat(tx, holder, 600) is None
        else:
            await store.release(tx, holder, datetime.now(UTC) + timedelta(seconds=600))
        claiming = asyncio.create_task(claim(pipeline))
        await eventually(lambda: waits_for_a_lock(owner))

    assert await claiming is None
    found = await row(pipeline)
    assert (found["token"], found["attempt"]) == (holder.token, holder.attempt)


async def waits_for_a_lock(owner: AsyncEngine) -> bool:
    async with owner.begin() as tx:
        query = """
            SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                           WHERE a.datname = current_database() AND NOT l.granted)
        """
        return bool((await tx.execute(text(query))).scalar_one())


async def test_the_time_in_the_queue_is_not_the_time_that_it_takes(
    pipeline: AsyncEngine, owner: AsyncEngine
) -> None:
    """Nor is what passes before another attempt given anew."""
    await put(pipeline, replace(piece(uuid4()), run_seconds=600))
    await later(owner, 3000)
    first = await taken(pipeline)
    begun = await now(owner)
    assert timedelta(seconds=590) < first.deadline - begun < timedelta(seconds=610)

    await later(owner, 300)
    assert (await taken(pipeline)).deadline == first.deadline


async def test_what_waited_for_too_long_is_claimed_with_a_deadline_that_is_over(
    pipeline: AsyncEngine, owner: AsyncEngine
) -> None:
    """Whoever takes it up ends it."""
    await put(pipeline, replace(piece(uuid4()), run_seconds=600))
    await later(owner, 3601)
    assert (await taken(pipeline)).deadline < await now(owner)


async def test_what_its_holder_returned_has_its_whole_time_again(
    pipeline: AsyncEngine, owner: AsyncEngine
) -> None:
    """A worker that stops in order must not make a job expire which waits for its next turn."""
    await put(pipeline, replace(piece(uuid4()), run_seconds=600))
    async with pipeline.begin() as tx:
        await store.return_unused(tx, await taken(pipeline))
    await later(owner, 700)
    again = await taken(pipeline)
    assert again.attempt == 1
    assert timedelta(seconds=590) < again.deadline - await now(owner) < timedelta(seconds=610)


async def test_a_piece_of_an_older_release_has_its_whole_time_from_the_claim(
    pipeline: AsyncEngine, owner: AsyncEngine
) -> None:
    await put(pipeline, piece(uuid4()))
    await later(owner, 7200)
    assert (
        timedelta(seconds=3590)
        < (await taken(pipeline)).deadline - await now(owner)
        < timedelta(seconds=3610)
    )


async def now(owner: AsyncEngine) -> datetime:
    async with owner.begin() as tx:
        found = (await tx.execute(text("SELECT headrace_clock()"))).scalar_one()
    assert isinstance(found, datetime)
    return found
