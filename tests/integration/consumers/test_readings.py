"""A version is its content and how it was read; what an upload says is remembered for its name."""

from typing import Any
from uuid import UUID, uuid4

from schemas.datasets import Reading
from schemas.event import Event
from tests.factories import door_event
from tests.integration.consumers import rows
from tests.integration.consumers.test_order import VALID, Ingest, ingest

__all__ = ["ingest"]
SAID = Reading(missing=("-",), types={"a": "text"})


def submission(tenant: UUID, name: str = "wine", reading: Reading | None = None) -> Event:
    event = rows.submission(tenant, name=name)
    data = event.data.model_copy(update={"reading": reading})
    return door_event(data, UUID(event.subject), tenant)


async def decided(ingest: Ingest, *events: Event) -> list[dict[str, Any]]:
    """Each is taken in and decided, one after the other."""
    for event in events:
        await ingest.at_the_door(event)
        await ingest(event)
        await ingest.decide(await ingest.claim(), VALID)
    query = "SELECT name, version, reading, reader FROM datasets ORDER BY created_at, id"
    return [dict(row) for row in await ingest.bench.ask(query)]


async def test_equal_content_that_is_read_otherwise_is_another_version(ingest: Ingest) -> None:
    tenant = uuid4()
    found = await decided(
        ingest,
        submission(tenant),
        submission(tenant),
        submission(tenant, reading=SAID),
        submission(tenant),
        submission(tenant, reading=Reading(alone=True)),
    )
    assert [one["version"] for one in found] == [1, 1, 2, 2, 1]
    assert {one["reader"] for one in found} == {2}
    said = [one["reading"] and Reading.model_validate(one["reading"]) for one in found]
    assert said == [None, None, SAID, SAID, None]


async def test_a_version_of_the_first_reader_is_no_version_of_the_second(ingest: Ingest) -> None:
    tenant = uuid4()
    await decided(ingest, submission(tenant))
    async with ingest.bench.pipeline.begin() as tx:
        await tx.exec_driver_sql("UPDATE datasets SET reader = NULL")
    found = await decided(ingest, submission(tenant), submission(tenant))
    assert [one["version"] for one in found] == [1, 2, 2]


async def test_a_batch_reads_what_an_earlier_one_of_it_said(ingest: Ingest) -> None:
    tenant = uuid4()
    one, two = submission(tenant, reading=SAID), submission(tenant)
    other, theirs = submission(tenant, "other"), submission(uuid4())
    await ingest.at_the_door(one, two, other, theirs)
    await ingest(one, two, other, theirs)
    payloads = [(await ingest.claim()).payload for _ in range(4)]
    said = {one["object_key"]: (one["reading"], one["is_remembered"]) for one in payloads}
    keys = [event.data.object_key for event in (one, two, other, theirs)]  # type: ignore[attr-defined]
    whole = SAID.model_dump(mode="json")
    assert [said[key] for key in keys] == [
        (whole, False),
        (whole, True),
        (None, True),
        (None, True),
    ]
