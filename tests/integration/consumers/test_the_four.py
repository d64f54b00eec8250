"""Happy, duplicate, poison, crash: the same for every consumer and every event that it reads."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from consumers.dead_letters.dead_letter import OPERATOR
from consumers.errors import Permanent
from consumers.ports import Handle
from consumers.registry import BY_NAME, CONSUMERS
from schemas.event import Event
from schemas.record import Record
from schemas.topics import PAYLOADS, TOPIC_OF
from tests.factories import record_of
from tests.integration.consumers.cases import CASES, Case
from tests.integration.runner.bench import Bench, failing_after, failing_on
from tests.integration.runner.feed import Feed


async def prepared(bench: Bench, case: Case, count: int = 1) -> list[Event]:
    """Events with all that they need, each of a tenant of its own."""
    async with bench.pipeline.begin() as tx:
        return [await case.prepare(tx, uuid4()) for _ in range(count)]


async def added(bench: Bench, before: dict[str, int]) -> dict[str, int]:
    """Rows since then, by table."""
    after = await bench.effects()
    return {
        table: count - before.get(table, 0)
        for table, count in after.items()
        if count != before.get(table, 0)
    }


def times(case: Case, count: int) -> dict[str, int]:
    return {table: rows * count for table, rows in case.adds.items()}


def test_every_event_of_every_consumer_has_its_case() -> None:
    assert {one.consumer for one in CASES} == {consumer.name for consumer in CONSUMERS}
    for consumer in CONSUMERS:
        assert len(
            [one for one in CASES if one.consumer == consumer.name and not one.again]
        ) == len(consumer.reads)


async def test_happy(bench: Bench, case: Case) -> None:
    """A batch of three: each has its effect, says so, and the position is after it."""
    events = await prepared(bench, case, 3)
    before = await bench.effects()

    assert await bench.runner(case.consumer)(Feed().deliver(*events)) is True

    assert await added(bench, before) == times(case, 3)
    assert sorted(await bench.said()) == sorted([*case.says] * 3)
    assert list((await bench.next(case.consumer)).values()) == [3]
    assert await bench.value("SELECT count(*) FROM outbox") == await bench.value(
        "SELECT count(*) FROM events"
    )


async def test_the_chain_is_kept(bench: Bench, case: Case) -> None:
    """What an event brings about has its tenant and says in its id, and in its cause, what it
    follows from.
    """
    (event,) = await prepared(bench, case)

    await bench.runner(case.consumer)(Feed().deliver(event))

    for row in await bench.ask("SELECT id, tenant_id, correlation_id FROM events"):
        assert row["tenant_id"] == event.tenantid
        assert row["id"].version == 8


async def test_a_duplicate_has_no_effect(bench: Bench, case: Case) -> None:
    """Twice in one poll, again at other offsets, and once more beside another event."""
    event, other = await prepared(bench, case, 2)
    before = await bench.effects()
    feed, runner = Feed(), bench.runner(case.consumer)

    for delivery in (
        feed.deliver(event, event),
        feed.deliver(event),
        feed.deliver(event, other, event, other),
    ):
        assert await runner(delivery) is True

    assert await added(bench, before) == times(case, 2)
    assert list((await bench.next(case.consumer)).values()) == [7]
    assert await bench.value("SELECT count(*) FROM processed") == 2


async def test_undecodable_records_are_parked_with_the_operator(bench: Bench, case: Case) -> None:
    """Byte for byte, with a published copy in nobody's log; what stands beside them is applied."""
    (event,) = await prepared(bench, case)
    before = await bench.effects()
    whole = record_of(event)
    odd = (("x", b"\xff\xfe\x00"), ("ce_type", event.type.encode()))
    foreign = replace(whole, key=f"{uuid4()}:{event.subject}".encode())
    bad = [
        replace(whole, value=b"\x00{not json", headers=odd),
        replace(whole, value=None),
        replace(whole, value=b'{"type":"job.requested\\u0000"}'),
        replace(whole, value=b'{"type":"\\ud800"}'),
        replace(whole, value=b"[" * 100_000),
        foreign,
        replace(whole, headers=(("ce_tenantid", str(uuid4()).encode()),)),
        replace(whole, value=(whole.value or b"").replace(b":v1", b":v9")),
    ]

    assert await bench.runner(case.consumer)(Feed().deliver(*bad[:4], event, *bad[4:])) is True

    assert await added(bench, before) == {
        **case.adds,
        "dead_letters": len(bad),
        "events": case.adds.get("events", 0) + len(bad),
    }
    letters = await bench.ask('SELECT * FROM dead_letters ORDER BY "offset"')
    assert [row["value"] for row in letters] == [one.value for one in bad]
    assert [row["error_class"] for row in letters] == ["undecodable"] * (len(bad) - 1) + [
        "unknown_version"
    ]
    assert {(row["tenant_id"], row["attempts"]) for row in letters} == {(OPERATOR, 1)}
    copies = await bench.ask(
        "SELECT topic, is_copy, tenant_id, value, key FROM events e JOIN outbox USING (seq)"
        " WHERE is_copy ORDER BY seq"
    )
    assert [(row["topic"], row["tenant_id"], row["value"], row["key"]) for row in copies] == [
        ("headrace.dead-letters", OPERATOR, one.value, one.key) for one in bad
    ]


@pytest.mark.parametrize(
    ("error", "error_class", "attempts", "calls"),
    [(Permanent("never"), "permanent", 1, 1), (RuntimeError("a bug: \x00 \ud800"), "bug", 3, 3)],
    ids=["permanent", "bug"],
)
async def test_only_the_guilty_one_is_given_up(
    bench: Bench, case: Case, error: Exception, error_class: str, attempts: int, calls: int
) -> None:
    """The batch goes one by one: the rest is applied, the guilty one is a dead letter of its own
    tenant.
    """
    events = await prepared(bench, case, 4)
    before = await bench.effects()
    guilty = events[2]
    tried: list[UUID] = []

    def bug() -> Exception:
        tried.append(guilty.id)
        return error

    runner = bench.runner(case.consumer, failing_on(bench.handler(case.consumer), guilty, bug))
    delivery = Feed().deliver(*events)
    assert await runner(delivery) is True

    assert await added(bench, before) == {
        **times(case, 3),
        "dead_letters": 1,
        "events": case.adds.get("events", 0) * 3 + 1,
    }
    (letter,) = await bench.ask(
        "SELECT tenant_id, event_id, error_class, attempts, value FROM dead_letters"
    )
    assert letter == {
        "tenant_id": guilty.tenantid,
        "event_id": guilty.id,
        "error_class": error_class,
        "attempts": attempts,
        "value": guilty.encode(),
    }
    assert len(tried) == 1 + calls  # once in the batch, then alone
    assert (
        await runner(delivery) is True
    )  # the answer was lost: it has passed all of them, one by one
    assert len(tried) == 1 + calls
    assert list((await bench.next(case.consumer)).values()) == [4]


@pytest.mark.parametrize(
    "crash", [RuntimeError, asyncio.CancelledError, ConnectionResetError], ids=lambda e: e.__name__
)
async def test_a_crash_between_effect_and_commit_leaves_nothing(
    bench: Bench, case: Case, crash: type[BaseException]
) -> None:
    """Everything was written and nothing committed.

    The same delivery then has its effect exactly once.
    """
    events = await prepared(bench, case, 2)
    before = await bench.counts()
    delivery = Feed().deliver(*events)
    real: Handle = bench.handler(case.consumer)

    if crash is RuntimeError:  # the process is gone: nothing after the handler runs
        async with bench.pipeline.connect() as tx:
            await real(tx, events)
            await tx.rollback()
    else:
        with pytest.raises(crash):
            await bench.runner(case.consumer, failing_after(real, crash))(delivery)
    assert await bench.counts() == before
    assert await bench.next(case.consumer) == {}

    effects = await bench.effects()
    for _ in range(2):  # the second time the answer to the commit was lost
        assert await bench.runner(case.consumer)(delivery) is True
    assert await added(bench, effects) == times(case, 2)
    assert sorted(await bench.said()) == sorted([*case.says] * 2)


async def test_what_a_newer_release_says_stops_nobody(bench: Bench, case: Case) -> None:
    """A type that is not known yet is passed over, as is a version to come of a type that is not
    wanted.
    """
    (event,) = await prepared(bench, case)
    before = await bench.effects()
    kind, topic = event.type.encode(), TOPIC_OF[event.type]
    whole = record_of(event)
    assert whole.value is not None
    later = replace(whole, value=whole.value.replace(kind, b"job.reconsidered"), headers=())
    others = [
        kind
        for kind in PAYLOADS
        if TOPIC_OF[kind] == topic and kind not in BY_NAME[case.consumer].wanted
    ]
    unwanted = [
        replace(later, value=whole.value.replace(kind, other.encode()).replace(b":v1", b":v2"))
        for other in others
    ]

    assert await bench.runner(case.consumer)(Feed().deliver(later, *unwanted, event)) is True

    assert await added(bench, before) == dict(case.adds)
    assert list((await bench.next(case.consumer)).values()) == [len(others) + 2]


async def test_odd_headers_say_nothing_against_an_event(bench: Bench, case: Case) -> None:
    """Bytes that are not UTF-8, empty names and values, the same name twice, many of them."""
    (event,) = await prepared(bench, case)
    before = await bench.effects()
    odd = (
        *event.headers(),
        ("x", b"\xff"),
        ("", b""),
        ("x", b"again"),
        *((f"h{n}", b"v" * 100) for n in range(50)),
    )
    record: Record = replace(record_of(event), headers=odd)

    assert await bench.runner(case.consumer)(Feed().deliver(record)) is True
    assert await added(bench, before) == dict(case.adds)
