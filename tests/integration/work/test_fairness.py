"""One tenant's flood does not starve another's piece, and a claim costs the same before a long
queue as before none.
"""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from consumers.work import store
from consumers.work.work_item import WorkItem
from tests.integration.work.queue import LEASE_SECONDS, QUEUE, claim, later, piece, put, taken

FLOOD = text("""
    INSERT INTO work (tenant_id, id, queue, subject_id, payload, ready_at, created_at, deadline,
        cause_id,
                      correlation_id)
    SELECT :tenant, gen_random_uuid(), :queue, gen_random_uuid(), '{}', at, at, at + interval '9 h',
        :tenant, :tenant
    FROM generate_series(1, :count) AS n, LATERAL (SELECT now() - interval '1 h' + n * interval
        '1 ms' AS at)
""")


async def flood(pipeline: AsyncEngine, tenant: UUID, count: int = 10_000) -> None:
    """So many pieces of one tenant, ready for an hour."""
    async with pipeline.begin() as tx:
        await tx.execute(FLOOD, {"tenant": tenant, "queue": QUEUE, "count": count})


async def finish(pipeline: AsyncEngine, held: WorkItem) -> None:
    async with pipeline.begin() as tx:
        await store.fence(tx, held)
        await store.done(tx, held)


async def test_with_one_slot_a_flood_gets_every_other_turn(pipeline: AsyncEngine) -> None:
    """Nothing runs when a single slot claims: what decides is whose turn is longest ago, not
    age.
    """
    many, few = uuid4(), uuid4()
    await flood(pipeline, many)
    order = []
    for number in range(8):
        if number == 2:
            await put(pipeline, *(piece(few, age_seconds=3 - n) for n in range(3)))
        held = await taken(pipeline)
        order.append(held.tenant)
        await finish(pipeline, held)

    assert order == [many, many, few, many, few, many, few, many]


async def test_a_slot_that_becomes_free_goes_to_who_waits(pipeline: AsyncEngine) -> None:
    """A flood holds all eight slots.

    Then a piece of another comes, younger than all of them and less urgent.
    """
    many, few = uuid4(), uuid4()
    await flood(pipeline, many)
    await put(pipeline, piece(many, 9, 7200))
    held = [await claimed(pipeline) for _ in range(8)]
    await put(pipeline, piece(few))

    await finish(pipeline, held[0])

    assert (await claimed(pipeline)).tenant == few


async def claimed(pipeline: AsyncEngine) -> WorkItem:
    """One piece, for long."""
    found = await claim(pipeline, 600)
    assert found is not None
    return found


async def test_nobody_has_more_than_the_cap(pipeline: AsyncEngine, owner: AsyncEngine) -> None:
    """The cap counts leases that live.

    One that ran out is claimed again under it, before anything younger.
    """
    many, few = uuid4(), uuid4()
    await flood(pipeline, many, 20)

    async def next_one() -> WorkItem | None:
        async with pipeline.begin() as tx:
            return await store.claim(tx, QUEUE, 3, most=2)

    first, _, none = [await next_one() for _ in range(3)]
    assert none is None
    assert first is not None
    await put(pipeline, piece(few))
    assert [one and one.tenant for one in (await next_one(), await next_one())] == [few, None]

    await later(owner, 4)
    again = await next_one()
    assert again is not None
    assert (again.subject, again.attempt) == (first.subject, 2)


async def test_an_attempt_that_failed_keeps_its_place(
    pipeline: AsyncEngine, owner: AsyncEngine
) -> None:
    """It waits out its pause and is next: not behind all that came before the pause was over."""
    tenant = uuid4()
    await flood(pipeline, tenant, 100)
    first = await taken(pipeline)
    async with pipeline.begin() as tx:
        await store.release(tx, first, datetime.now(UTC) + timedelta(seconds=20))
    between = await taken(pipeline)
    assert between.subject != first.subject
    await finish(pipeline, between)

    await later(owner, 21)

    assert (await taken(pipeline)).subject == first.subject


async def test_one_tenants_poison_leaves_the_others_turns_alone(
    pipeline: AsyncEngine, owner: AsyncEngine
) -> None:
    """Every lease of one tenant runs out again and again.

    The other has half of the claims nevertheless.
    """
    poison, well = uuid4(), uuid4()
    await flood(pipeline, poison, 50)
    await flood(pipeline, well, 50)
    turns: Counter[UUID] = Counter()
    for _ in range(20):
        held = await taken(pipeline)
        turns[held.tenant] += 1
        if held.tenant == well:
            await finish(pipeline, held)
        await later(owner, LEASE_SECONDS + 1)

    assert turns == {poison: 10, well: 10}


async def test_a_claim_reads_no_more_before_a_long_queue(pipeline: AsyncEngine) -> None:
    """Index scans only, and few blocks, with 100,000 waiting."""
    for tenant in (uuid4(), uuid4()):
        await flood(pipeline, tenant, 50_000)
    started = time.perf_counter()
    for _ in range(20):
        await finish(pipeline, await claimed(pipeline))
    print(f"claim and finish: {(time.perf_counter() - started) / 20 * 1000:.1f} ms")

    async with pipeline.begin() as tx:
        given = {"queue": QUEUE, "lease": 60.0, "most": None}
        explain = text("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + store.CLAIM.text)
        (found,) = (await tx.execute(explain, given)).scalar_one()
    plan = found["Plan"]
    print(
        f"{found['Execution Time']} ms, {plan['Shared Hit Blocks'] + plan['Shared Read Blocks']} "
        "blocks"
    )
    assert "Seq Scan" not in {
        node["Node Type"] for node in nodes(plan) if node.get("Relation Name") == "work"
    }
    assert (
        sum(
            node["Actual Rows"] * node["Actual Loops"]
            for node in nodes(plan)
            if "Index Name" in node
        )
        < 100
    )


def nodes(plan: dict) -> list[dict]:  # type: ignore[type-arg]
    """All of a plan, flat."""
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]
