"""After a restore an offset is another record: its dead letter is a row of its own, of its own
tenant.
"""

from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from consumers.dead_letters.dead_letter import OPERATOR, DeadLetter
from consumers.dead_letters.parking import store as parking
from schemas.record import Record
from tests.factories import new_id

CLUSTER = text("INSERT INTO kafka_cluster (cluster_id) VALUES ('ours')")
ANEW = text("UPDATE kafka_cluster SET incarnation = incarnation + 1")
ROWS = text("SELECT tenant_id, error, attempts, incarnation FROM dead_letters ORDER BY error")


def at_one_place(value: bytes) -> Record:
    """Whatever it is, it stands at the same offset."""
    return Record("headrace.webhooks", 0, 41, b"key", value, (), 0)


async def test_a_place_that_is_used_again(pipeline: AsyncEngine) -> None:
    async def park(tenant: UUID, event: UUID | None, value: bytes, error: str) -> int:
        letter = DeadLetter(at_one_place(value), "billing", tenant, event, "bug", error, 1)
        async with pipeline.begin() as tx:
            return len(await parking.park(tx, [letter]))

    async with pipeline.begin() as tx:
        await tx.execute(CLUSTER)
    first, second, event = uuid4(), uuid4(), new_id()
    assert await park(first, event, b"1", "a first tenant's") == 1
    assert await park(first, event, b"1", "a first tenant's, again") == 0
    async with pipeline.begin() as tx:
        await tx.execute(ANEW)
    assert await park(second, new_id(), b"2", "another tenant's") == 1
    assert await park(OPERATOR, None, b"?", "no event") == 1
    async with pipeline.begin() as tx:
        await tx.execute(ANEW)
    assert await park(OPERATOR, None, b"!", "no event either") == 1
    assert await park(OPERATOR, None, b"!", "no event either, again") == 0
    assert await park(first, event, b"1", "where it is published again") == 0

    async with pipeline.begin() as tx:
        found = [tuple(row) for row in (await tx.execute(ROWS)).all()]
    assert found == [
        (second, "another tenant's", 1, 1),
        (OPERATOR, "no event", 1, 1),
        (OPERATOR, "no event either, again", 2, 2),
        (first, "where it is published again", 3, 0),
    ]
