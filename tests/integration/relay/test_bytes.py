"""What stands in the log stands on Kafka, byte for byte."""

from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import pytest
from aiokafka.partitioner import DefaultPartitioner
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.kafka.log import KafkaLog
from compose.settings import Settings
from consumers.dead_letters.dead_letter import OPERATOR, DeadLetter
from producers.outbox.relay import relay_once
from schemas.event import Headers
from schemas.record import Record
from schemas.topics import DEAD_LETTERS, JOBS
from tests.integration.relay.log import entry, on_kafka, unsent, write

AT = datetime(2026, 3, 1, 12, 30, 15, 987_654, tzinfo=UTC)
ODD: Headers = (
    ("a", b"\xff\xfe\x00\x80"),
    ("a", b""),
    ("é", "ü".encode()),
    ("z", bytes(range(256))),
)


@pytest.mark.foreign("rows whose bytes nobody looks at: the relay sends what stands in the log")
async def test_key_value_headers_and_time(
    pipeline: AsyncEngine, connection: asyncpg.Connection, log: KafkaLog, settings: Settings
) -> None:
    given = [
        entry(b"k1", b'{"a": 1}', (("ce_id", b"1"),), at=AT),
        entry(b"\x00\xff", b"\x00\xff\xfe", ODD, at=AT),
        entry(b"", b"", at=AT),
        entry(b"tombstone", None, at=AT),
    ]
    await write(pipeline, given)

    assert await relay_once(connection, log) == 4

    found = {record.key: record for record in await on_kafka(settings)}
    for one in given:
        record = found[one.key]
        assert (record.key, record.value) == (one.key, one.value)
        assert (
            record.timestamp > AT.timestamp() * 1000
        )  # when it was sent; the event's is in its headers
        assert record.partition == DefaultPartitioner()(one.key, list(range(6)), list(range(6)))
    assert tuple(found[b"\x00\xff"].headers) == ODD
    assert tuple(found[b"k1"].headers) == (("ce_id", b"1"),)
    assert await unsent(pipeline) == 0


async def test_copies_of_dead_letters_may_have_neither_key_nor_value(
    pipeline: AsyncEngine, connection: asyncpg.Connection, log: KafkaLog, settings: Settings
) -> None:
    letter = DeadLetter(
        Record(JOBS.name, 2, 7, None, None, ODD, 0),
        "ingest",
        OPERATOR,
        None,
        "undecodable",
        "no",
        1,
    )
    await write(pipeline, [letter.copy(AT)])

    assert await relay_once(connection, log) == 1

    (record,) = await on_kafka(settings, DEAD_LETTERS.name)
    assert (record.key, record.value) == (None, None)
    assert tuple(record.headers[: len(ODD)]) == ODD
    assert dict(record.headers[len(ODD) :]) == {
        "dead_letter_consumer": b"ingest",
        "dead_letter_class": b"undecodable",
        "dead_letter_error": b"no",
        "dead_letter_topic": b"headrace.jobs",
        "dead_letter_partition": b"2",
        "dead_letter_offset": b"7",
        "dead_letter_attempts": b"1",
    }


@pytest.mark.foreign("rows whose bytes nobody looks at: the relay sends what stands in the log")
async def test_a_copy_always_fits_into_a_record(
    pipeline: AsyncEngine, connection: asyncpg.Connection, log: KafkaLog, settings: Settings
) -> None:
    """Whatever somebody else put on the topic: one copy that Kafka refuses would stop the relay
    for everybody.
    """
    large = Record(JOBS.name, 0, 1, b"k", b"v" * (500 << 10), (("h", b"\xff" * (550 << 10)),), 0)
    records = [
        large,
        replace(large, value=b"v" * (1 << 20), headers=()),
        replace(large, key=b"k" * (1 << 20), value=None, headers=()),
        replace(large, value=None, headers=(("h", b"h" * (1 << 20)),)),
        replace(large, value=b"v" * (790 << 10), headers=()),
    ]
    letters = [
        DeadLetter(replace(one, offset=place), "ingest", OPERATOR, None, "undecodable", "no", 1)
        for place, one in enumerate(records)
    ]
    await write(pipeline, [*(one.copy(AT) for one in letters), entry(b"after", b"them")])

    for _ in range(len(letters)):
        if not await relay_once(connection, log):
            break

    assert await unsent(pipeline) == 0
    copies = await on_kafka(settings, DEAD_LETTERS.name)
    assert [dict(one.headers)["dead_letter_offset"] for one in copies] == [
        b"0",
        b"1",
        b"2",
        b"3",
        b"4",
    ]
    assert [len(one.value or b"") for one in copies] == [0, 0, 0, 0, 790 << 10]
    assert [one.value for one in await on_kafka(settings)] == [b"them"]
