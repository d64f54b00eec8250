"""How far Kafka has confirmed each partition is remembered, in the statement that strikes off."""

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from compose.kafka.log import KafkaLog
from compose.settings import Settings
from producers.outbox.relay import relay_once
from tests.integration.relay.log import numbered, on_kafka, unsent, write

pytestmark = pytest.mark.foreign("rows whose bytes nobody looks at: the relay sends the log's")
KEYS = [f"key-{number}" for number in range(20)]


async def test_the_highest_offset_of_each_partition_with_its_seq(
    pipeline: AsyncEngine, connection: asyncpg.Connection, log: KafkaLog, settings: Settings
) -> None:
    await write(pipeline, [one for key in KEYS for one in numbered(key, range(10))])
    while await relay_once(connection, log, max_records=70):
        pass

    records = await on_kafka(settings)
    seqs = {
        row["value"]: row["seq"] for row in await connection.fetch("SELECT seq, value FROM events")
    }
    expected = {(one.topic, one.partition): (one.offset, seqs[one.value]) for one in records}
    rows = await connection.fetch("SELECT * FROM partition_ends")
    found = {
        (row["topic"], row["partition"]): (row["confirmed_offset"], row["seq"]) for row in rows
    }
    assert found == expected
    assert await unsent(pipeline) == 0
