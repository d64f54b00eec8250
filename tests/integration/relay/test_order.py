"""The order of a key, and nothing lost, whatever breaks between the log and Kafka."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.kafka.log import KafkaLog
from compose.settings import Settings
from producers.outbox.append import append
from producers.outbox.ports import NotConfirmed, Outgoing, Place, Sent
from producers.outbox.relay import relay, relay_once
from tests.eventually import eventually
from tests.integration.relay.conftest import Connect
from tests.integration.relay.log import entry, first_appearances, numbered, on_kafka, unsent, write

pytestmark = pytest.mark.foreign(
    "rows whose bytes nobody looks at: the relay sends what stands in the log"
)
KEYS = [f"key-{number}" for number in range(20)]


class Unreliable:
    """The real Kafka, with something that goes wrong after a send: it has the records, and
    nobody is told.
    """

    def __init__(self, kafka: KafkaLog, after: Callable[[int], Awaitable[None]]) -> None:
        self._kafka = kafka
        self._after = after
        self.sends = 0
        self.restarts = 0

    async def send(self, records: Sequence[Outgoing]) -> Sent:
        sent = await self._kafka.send(records)
        self.sends += 1
        await self._after(self.sends)
        return sent

    async def restart(self) -> None:
        self.restarts += 1
        await self._kafka.restart()

    async def ends(self, places: Collection[Place]) -> Mapping[Place, int]:
        return await self._kafka.ends(places)

    def own_name(self, topic: str) -> str:
        return self._kafka.own_name(topic)


async def test_the_order_of_each_key_is_kept(
    pipeline: AsyncEngine, connection: asyncpg.Connection, log: KafkaLog, settings: Settings
) -> None:
    """Twenty keys, written crosswise by concurrent transactions, sent in small rounds."""
    for number in range(10):
        await asyncio.gather(
            *(write(pipeline, numbered(key, range(number * 5, number * 5 + 5))) for key in KEYS)
        )

    rounds = 0
    while await relay_once(connection, log, max_records=70):
        rounds += 1

    records = await on_kafka(settings)
    assert len(records) == 1000
    assert rounds == 15
    assert first_appearances(records) == {key.encode(): list(range(50)) for key in KEYS}


async def test_a_low_seq_that_commits_late_is_sent(
    pipeline: AsyncEngine, connection: asyncpg.Connection, log: KafkaLog, settings: Settings
) -> None:
    async with pipeline.connect() as slow:
        await append(slow, numbered("late", range(3)))
        await write(pipeline, numbered("early", range(3)))
        assert await relay_once(connection, log) == 3
        await slow.commit()

    assert await relay_once(connection, log) == 3

    assert first_appearances(await on_kafka(settings)) == {b"late": [0, 1, 2], b"early": [0, 1, 2]}
    assert await connection.fetchval("SELECT min(seq) FROM events WHERE key = 'late'") == 1


async def test_killed_between_send_and_delete(
    pipeline: AsyncEngine, connect: Connect, log: KafkaLog, settings: Settings
) -> None:
    """Kafka has it and the outbox still lists it: the next relay sends copies, which change no
    first appearance.
    """
    dying = await connect()
    for number in range(4):
        await write(
            pipeline,
            [one for key in KEYS for one in numbered(key, range(number * 5, number * 5 + 5))],
        )

    async def die(_: int) -> None:
        dying.terminate()

    with pytest.raises((asyncpg.InterfaceError, OSError)):
        await relay_once(dying, Unreliable(log, die), max_records=250)
    assert await unsent(pipeline) == 400

    await log.restart()
    successor = await connect()
    while await relay_once(successor, log, max_records=90):
        pass

    records = await on_kafka(settings)
    assert len(records) == 400 + 250
    assert first_appearances(records) == {key.encode(): list(range(20)) for key in KEYS}


async def test_unknown_outcomes_only_add_copies(
    pipeline: AsyncEngine, connection: asyncpg.Connection, log: KafkaLog, settings: Settings
) -> None:
    """Every second send is not confirmed although it arrived.

    The loop goes on by itself with a new producer.
    """
    await write(pipeline, [one for key in KEYS for one in numbered(key, range(10))])

    async def unknown(sends: int) -> None:
        if sends in (1, 3):
            raise NotConfirmed("no answer")

    kafka = Unreliable(log, unknown)
    stop = asyncio.Event()
    running = asyncio.create_task(relay(connection, kafka, stop))
    await eventually(lambda: unsent(pipeline), lambda count: count == 0)
    await write(pipeline, [one for key in KEYS for one in numbered(key, range(10, 20))])
    await eventually(lambda: unsent(pipeline), lambda count: count == 0)
    stop.set()
    await running

    assert kafka.restarts == 2
    assert first_appearances(await on_kafka(settings)) == {
        key.encode(): list(range(20)) for key in KEYS
    }


async def test_without_kafka_nothing_is_struck_off(
    pipeline: AsyncEngine, connection: asyncpg.Connection, log: KafkaLog, settings: Settings
) -> None:
    await write(pipeline, numbered("k", range(10)))
    nowhere = KafkaLog("127.0.0.1:1", settings.kafka_topic_prefix)

    for _ in range(2):
        with pytest.raises(NotConfirmed):
            await relay_once(connection, nowhere)
        await nowhere.restart()
    assert await unsent(pipeline) == 10

    assert await relay_once(connection, log) == 10
    assert first_appearances(await on_kafka(settings)) == {b"k": list(range(10))}


async def test_a_round_is_bounded_in_bytes(
    pipeline: AsyncEngine, connection: asyncpg.Connection, log: KafkaLog, settings: Settings
) -> None:
    """The largest rows there can be: a few a round, at least one, several batches of one
    partition in order.
    """
    await write(
        pipeline, [entry(b"large", b"x" * 921_000 + f":{number}".encode()) for number in range(12)]
    )

    sent = [await relay_once(connection, log, max_bytes=3 << 20) for _ in range(3)]
    sent += [await relay_once(connection, log, max_bytes=1) for _ in range(2)]
    sent.append(await relay_once(connection, log))

    assert sent == [4, 4, 4, 0, 0, 0] or sent == [4, 4, 4, 0, 0, 0][: len(sent)], sent
    assert first_appearances(await on_kafka(settings)) == {b"large": list(range(12))}


async def test_one_row_is_sent_whatever_the_bound(
    pipeline: AsyncEngine, connection: asyncpg.Connection, log: KafkaLog, settings: Settings
) -> None:
    await write(pipeline, numbered("k", range(3)))

    assert [await relay_once(connection, log, max_bytes=1) for _ in range(4)] == [1, 1, 1, 0]
    assert first_appearances(await on_kafka(settings)) == {b"k": [0, 1, 2]}
