"""A replay reads a record as the subscription does, and a newer release reads what this one cannot."""

from collections import Counter
from dataclasses import replace

import pytest

from consumers.dead_letters.letter import OPERATOR
from consumers.replays import store
from consumers.replays.replay import Target
from schemas.decode import REQUIRED
from schemas.event import Event
from tests.factories import new_id, record_of
from tests.integration.replays.field import Field

LETTERS = "SELECT error_class, state, attempts FROM dead_letters WHERE tenant_id = :t"


async def replayed(field: Field, letters: int) -> str:
    """A replay of all of the operator's letters."""
    found = await field.bench.ask("SELECT id FROM dead_letters WHERE tenant_id = :t", t=OPERATOR)
    assert len(found) == letters
    replay = new_id()
    async with field.bench.pipeline.begin() as tx:
        new = store.NewRow(OPERATOR, replay, "dead_letters", {}, "read them", None, None, "operator")
        await store.create(tx, new, [Target(row["id"], None, "ingest") for row in found])
    return str(replay)


async def outcomes(field: Field, replay: str) -> Counter[str]:
    """By state."""
    rows = await field.bench.ask("SELECT state FROM replay_items WHERE replay_id = :r", r=replay)
    return Counter(row["state"] for row in rows)


@pytest.fixture
async def event(field: Field) -> Event:
    """A webhook that would start a job."""
    source, _, _ = await field.dead()
    await field.mend(source)
    return (await field.received(source, 7))[1]


async def test_a_record_without_its_headers_is_refused_again(field: Field, event: Event) -> None:
    whole = record_of(event)
    bare = [replace(whole, headers=tuple(header for header in whole.headers if header[0] != name)) for name in REQUIRED]
    assert await field.bench.runner("ingest")(field.feed.deliver(*bare, replace(whole, headers=()))) is True
    assert {row["error_class"] for row in await field.bench.ask(LETTERS, t=OPERATOR)} == {"undecodable"}

    replay = await replayed(field, len(REQUIRED) + 1)
    await field.drain()

    assert await outcomes(field, replay) == {"failed_again": len(REQUIRED) + 1}
    assert await field.commands() == 0
