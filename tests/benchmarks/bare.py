"""What the consumers are measured against: one statement for all that `getmany` returned, and
nothing checked.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import ConsumerRecord
from pydantic_core import from_json

POSITIONS = """
    moved AS (
        INSERT INTO positions (consumer, generation, topic, partition, next)
        SELECT $1, 0, topic, partition, next FROM unnest($2::text[], $3::int[], $4::bigint[])
               AS given(topic, partition, next)
        ON CONFLICT ON CONSTRAINT positions_pkey DO UPDATE SET next = excluded.next,
            updated_at = headrace_clock()
    )
"""
ACT = f"""
    WITH {POSITIONS}, fresh AS (
        INSERT INTO processed (event_id, consumer) SELECT id, $1
            FROM unnest($5::uuid[]) AS given(id) ORDER BY id
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    SELECT id, action, mapping_version FROM sources WHERE id = ANY($6::uuid[])
"""
BILL = f"""
    WITH {POSITIONS}, fresh AS (
        INSERT INTO processed (event_id, consumer) SELECT id, $1
            FROM unnest($5::uuid[]) AS given(id) ORDER BY id
        ON CONFLICT DO NOTHING RETURNING event_id
    )
    INSERT INTO usage_records (tenant_id, period, record_key, meter, quantity, unit, at, subject,
        event_ids)
    SELECT tenant, $6, key, 'webhook_events', quantity, 'event', now(), subject, ARRAY[key::uuid]
    FROM unnest($7::uuid[], $8::text[], $9::numeric[], $10::text[]) AS given(tenant, key, quantity,
        subject)
    ON CONFLICT DO NOTHING
"""
PROJECT = f"""
    WITH {POSITIONS}, fresh AS (
        INSERT INTO read_usage_records (generation, tenant_id, period, record_key)
        SELECT 1, tenant, period, key FROM unnest($5::uuid[], $6::date[],
            $7::text[]) AS given(tenant, period, key)
        ON CONFLICT DO NOTHING RETURNING tenant_id, period, record_key
    )
    INSERT INTO read_usage_days (generation, tenant_id, meter, day, unit, value, records)
    SELECT 1, given.tenant, meter, day, unit, sum(value), count(*)
    FROM unnest($5::uuid[], $6::date[], $7::text[], $8::text[], $9::date[], $10::text[],
        $11::numeric[])
         AS given(tenant, period, key, meter, day, unit, value)
    JOIN fresh ON fresh.tenant_id = given.tenant AND fresh.period = given.period
        AND fresh.record_key = given.key
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT ON CONSTRAINT read_usage_days_pkey DO UPDATE
    SET value = read_usage_days.value + excluded.value,
        records = read_usage_days.records + excluded.records
"""
Records = Sequence[ConsumerRecord[Any, Any]]


def _places(consumer: str, records: Records) -> tuple[Any, ...]:
    ends = {(one.topic, one.partition): one.offset + 1 for one in records}
    return (
        consumer,
        [topic for topic, _ in ends],
        [partition for _, partition in ends],
        list(ends.values()),
    )


async def act(connection: asyncpg.Connection, records: Records) -> None:
    """Claim the events, ask what their sources do with them."""
    events = [from_json(one.value) for one in records]
    sources = {event["data"]["source_id"] for event in events}
    await connection.fetch(
        ACT, *_places("bare", records), [event["id"] for event in events], list(sources)
    )


async def bill(connection: asyncpg.Connection, records: Records) -> None:
    """Claim the events, count them by source."""
    events = [from_json(one.value) for one in records]
    counted = Counter((event["tenantid"], event["subject"]) for event in events)
    first = {(event["tenantid"], event["subject"]): event["id"] for event in reversed(events)}
    await connection.execute(
        BILL,
        *_places("bare", records),
        [event["id"] for event in events],
        datetime.now(UTC).date().replace(day=1),
        [tenant for tenant, _ in counted],
        [first[key] for key in counted],
        [Decimal(count) for count in counted.values()],
        [subject for _, subject in counted],
    )


async def project(connection: asyncpg.Connection, records: Records) -> None:
    """Add what is new to the days."""
    events = [from_json(one.value) for one in records]
    rows = [
        (
            UUID(event["tenantid"]),
            date.fromisoformat(event["data"]["period"]),
            event["data"]["record_key"],
            event["data"]["meter"],
            date.fromisoformat(event["data"]["at"][:10]),
            event["data"]["unit"],
            Decimal(event["data"]["quantity"]),
        )
        for event in events
    ]
    await connection.execute(
        PROJECT, *_places("bare", records), *(list(one) for one in zip(*rows, strict=True))
    )
