"""Turns in a lane: between tenants first, then between the replays of one."""

from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from consumers.replays import store
from consumers.replays.replay import Target
from consumers.replays.worker import store as lane
from tests.factories import new_id


async def start(
    pipeline: AsyncEngine,
    tenant: UUID,
    count: int = 1,
    consumer: str = "ingest",
    throttle: float | None = None,
) -> list[UUID]:
    """So many replays of three messages each."""
    made = [new_id() for _ in range(count)]
    async with pipeline.begin() as tx:
        for one in made:
            new = store.NewRow(tenant, one, "dead_letters", {}, None, throttle, None, "somebody")
            await store.create(tx, new, [Target(new_id(), None, consumer) for _ in range(3)])
    return made


async def turn(pipeline: AsyncEngine, consumer: str = "ingest") -> lane.ReplayTurn:
    """Whose it is."""
    async with pipeline.begin() as tx:
        found = await lane.turn(tx, consumer)
    assert found is not None
    return found


async def test_many_replays_of_one_tenant_get_every_other_turn(pipeline: AsyncEngine) -> None:
    """They were there before, and the other tenant has one alone."""
    many, few = uuid4(), uuid4()
    flood = await start(pipeline, many, 30)
    first = [await turn(pipeline) for _ in range(2)]
    await start(pipeline, few)

    turns = first + [await turn(pipeline) for _ in range(8)]

    assert [one.tenant for one in turns] == [many, many, *[few, many] * 4]
    assert [one.replay for one in turns if one.tenant == many] == flood[:6]  # each goes to the back


async def test_three_tenants_have_a_third_each(pipeline: AsyncEngine) -> None:
    tenants = [uuid4() for _ in range(3)]
    for tenant, count in zip(tenants, (1, 20, 5), strict=True):
        await start(pipeline, tenant, count)
    turns = [(await turn(pipeline)).tenant for _ in range(12)]
    assert turns[:3] * 4 == turns
    assert set(turns) == set(tenants)


async def test_what_a_tenant_has_in_another_lane_is_not_counted(pipeline: AsyncEngine) -> None:
    one, other = uuid4(), uuid4()
    await start(pipeline, one, 2)
    await start(pipeline, other)
    await start(pipeline, one, 2, "billing")
    turns = []
    for _ in range(4):
        turns.append((await turn(pipeline)).tenant)
        assert (await turn(pipeline, "billing")).tenant == one
    assert turns == [one, other] * 2


async def test_a_throttled_replay_holds_up_no_other_of_its_tenant(pipeline: AsyncEngine) -> None:
    one, other = uuid4(), uuid4()
    (slow,) = await start(pipeline, one, throttle=0.01)
    assert (await turn(pipeline)).replay == slow
    (quick,) = await start(pipeline, one)
    await start(pipeline, other)
    assert [(await turn(pipeline)).tenant for _ in range(4)] == [other, one, other, one]
    assert {(await turn(pipeline)).replay for _ in range(4)} >= {quick}
    assert slow not in {(await turn(pipeline)).replay for _ in range(4)}


async def test_a_replay_that_another_process_has_in_hand_is_passed_over(
    pipeline: AsyncEngine,
) -> None:
    """Its turn is not committed yet: the next tenant has its own meanwhile, and nobody waits."""
    one, other = uuid4(), uuid4()
    await start(pipeline, one)
    await start(pipeline, other)
    async with pipeline.begin() as held:
        first = await lane.turn(held, "ingest")
        assert first is not None
        assert {first.tenant, (await turn(pipeline)).tenant} == {one, other}
