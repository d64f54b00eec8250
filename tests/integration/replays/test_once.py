"""However often, by however many, and whatever is killed: a replayed message has one effect."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.log.outcome import Outcome
from consumers.ports import Handle
from schemas.event import Event
from tests.integration.replays.field import RIGHT, Field, train
from tests.integration.runner.bench import failing_after
from tests.integration.runner.mortal import Life, died

ROUNDS = 100


async def test_a_mended_mapping_applies_and_again_does_nothing(field: Field) -> None:
    source, letters, events = await field.dead()
    await field.mend(source)
    first = await field.of_ids(letters)
    assert await field.states() == ["replaying"]
    await field.drain()
    again = await field.of_ids(letters)
    await field.drain()

    assert await field.counts(first) == {"applied": 1}
    assert await field.counts(again) == {"already_applied": 1}
    assert await field.states() == ["applied"]
    assert await field.commands() == 1
    (command,) = await field.bench.ask(
        "SELECT correlation_id FROM events WHERE type = 'job.requested'"
    )
    assert command["correlation_id"] == events[0].id
    assert (
        await field.bench.value("SELECT count(*) FROM events WHERE is_copy") == 1
    )  # of the first failure
    shown = await field.world.get(f"/v1/replays/{first}")
    assert (shown["state"], shown["progress"], shown["reason"]) == ("finished", 1.0, "mended")
    assert shown["created_by"].startswith("test (")


async def test_two_replays_over_one_letter_at_once(field: Field) -> None:
    source, letters, _ = await field.dead(5)
    await field.mend(source)
    replays = [await field.of_ids(letters) for _ in range(2)]

    await asyncio.gather(field.drain(field.lane()), field.drain(field.lane()))
    await field.drain()

    assert await field.total(*replays) == {"applied": 5, "already_applied": 5}
    assert await field.commands() == 5


@pytest.mark.parametrize(
    "crash", [asyncio.CancelledError, ConnectionResetError], ids=lambda one: one.__name__
)
async def test_a_crash_between_effect_and_commit_leaves_nothing(
    field: Field, crash: type[BaseException]
) -> None:
    source, letters, _ = await field.dead()
    await field.mend(source)
    replay = await field.of_ids(letters)
    before = await field.bench.counts()

    broken = field.lane(failing_after(field.bench.handler("ingest"), crash))
    if crash is asyncio.CancelledError:
        with pytest.raises(crash):
            await broken.round()
    else:
        await broken.round()
    assert await field.bench.counts() == before
    assert await field.counts(replay) == {"pending": 1}
    assert await field.states() == ["replaying"]

    assert await field.settled(replay) == {"applied": 1}
    assert await field.commands() == 1


async def test_a_killed_backend_in_mid_effect(field: Field, database: str) -> None:
    source, letters, _ = await field.dead()
    await field.mend(source)
    replay = await field.of_ids(letters)
    real = field.bench.handler("ingest")

    async def killed(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        outcomes = await real(tx, events)
        pid = (await tx.execute(text("SELECT pg_backend_pid()"))).scalar_one()
        killer = await asyncpg.connect(database)
        await killer.execute("SELECT pg_terminate_backend($1)", pid)
        await killer.close()
        return outcomes

    await field.lane(killed).round()
    assert await field.counts(replay) == {"pending": 1}
    assert await field.settled(replay) == {"applied": 1}
    (item,) = await field.items(replay)
    assert item["attempts"] == 2
    assert await field.commands() == 1


async def test_a_worker_waits_while_a_message_waits(field: Field) -> None:
    """It looked a hundred times a second."""
    source, letters, _ = await field.dead()
    await field.mend(source)
    replay = await field.of_ids(letters)
    async with field.bench.pipeline.begin() as tx:
        await tx.execute(
            text("UPDATE replay_items SET ready_at = headrace_clock() + interval '1 hour'")
        )
    lane = field.lane()
    assert await lane.round() == lane.poll_seconds
    assert await field.counts(replay) == {"pending": 1}


async def test_letters_and_their_requests_at_once(field: Field) -> None:
    source, letters, events = await field.dead(10)
    await field.mend(source)
    by_letter = await field.of_ids(letters)
    by_request = await field.replay(
        kind="requests", filter={"source_id": source["id"]}, expected=10
    )

    await asyncio.gather(*(field.drain(field.lane()) for _ in range(3)))
    await field.drain()

    assert await field.total(by_letter, by_request) == {"applied": 10, "already_applied": 10}
    assert await field.commands() == len(events)
    assert set(await field.states()) == {"applied"}


async def test_two_replays_of_requests_that_have_no_letter_at_once(field: Field) -> None:
    source = await field.world.source("ci", {"kind": "forward"})
    received = [await field.received(source, number) for number in range(10)]
    await field.consumed(*(event for _, event in received))
    await field.mend(source)
    real = field.bench.handler("ingest")
    both = asyncio.Barrier(2)

    async def meeting(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        with suppress(TimeoutError):  # the other one cannot come here: it waits for the lock
            async with asyncio.timeout(0.05):
                await both.wait()
        return await real(tx, events)

    replays = [
        await field.of_ids([request for request, _ in received], kind="requests") for _ in range(2)
    ]
    await asyncio.gather(field.drain(field.lane(meeting)), field.drain(field.lane(meeting)))
    await field.drain()
    assert await field.total(*replays) == {"applied": 10, "already_applied": 10}
    assert await field.commands() == 10


async def test_many_lanes_settle_each_item_once(field: Field) -> None:
    source, letters, _ = await field.dead(60)
    await field.mend(source)
    handled: Counter[object] = Counter()
    real: Handle = field.bench.handler("ingest")

    async def counting(tx: AsyncConnection, events: Sequence[Event]) -> Sequence[Outcome]:
        handled.update(event.id for event in events)
        return await real(tx, events)

    replay = await field.of_ids(letters)
    await asyncio.gather(*(field.drain(field.lane(counting)) for _ in range(4)))
    assert await field.counts(replay) == {"applied": 60}
    assert set(handled.values()) == {1}
    assert len(handled) == 60


async def test_a_live_duplicate_races_the_lanes(field: Field) -> None:
    """Each round: one letter, its event once more on the topic, a replay of it and one of its
    request, all at once.
    """
    source, letters, events = await field.dead(ROUNDS)
    requests = {
        str(row["event_id"]): str(row["id"])
        for row in await field.bench.ask("SELECT * FROM requests")
    }
    await field.mend(source)
    lanes = [field.lane(), field.lane()]
    for letter, event in zip(letters, events, strict=True):
        replays = await asyncio.gather(
            field.of_ids([letter]), field.of_ids([requests[str(event.id)]], kind="requests")
        )
        await asyncio.gather(field.consumed(event), *(lane.round() for lane in lanes))
        await field.drain()
        assert await field.total(*replays) == {"applied": 1, "already_applied": 1}
    assert await field.commands() == ROUNDS
    assert set(await field.states()) == {"applied"}


async def test_the_first_consumption_races_a_replay_of_the_request(field: Field) -> None:
    """Whoever is first: the live consumer handles it, the lane skips it or finds it done."""
    source = await field.world.source("ci", train(RIGHT))
    seen: Counter[str] = Counter()
    for number in range(30):
        request, event = await field.received(source, number)
        replay = await field.of_ids([request], kind="requests")
        await asyncio.gather(field.consumed(event), field.lane().round(), field.lane().round())
        await field.drain()
        seen.update(await field.counts(replay))
        assert await field.commands() == number + 1
    assert set(seen) <= {"skipped", "already_applied"}


async def test_a_replay_that_kills_its_process_fails_after_three_deaths(
    field: Field, database: str
) -> None:
    """The other message of the replay is applied, and no process dies of the killer any more."""
    _, letters, (killer, other) = await field.dead(2)
    replay = await field.of_ids(letters)
    life = Life(database, "ingest", field.feed.deliver(), frozenset({killer.id}), replays=True)
    assert [died(life) for _ in range(4)] == [True, True, True, False]
    assert await field.counts(replay) == {"failed_again": 1, "applied": 1}
    rows = await field.bench.ask("SELECT event_id, state, error_class, error FROM dead_letters")
    found = {row["event_id"]: (row["state"], row["error_class"]) for row in rows}
    assert found == {killer.id: ("parked", "internal"), other.id: ("applied", "user_config")}
    assert await field.bench.value("SELECT count(*) FROM suspect_records") == 0
