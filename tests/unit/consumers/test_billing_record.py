"""Usage records: months and quarters of an hour in UTC, ids that stay, every event in exactly
one record.
"""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.billing.record import UNITS, UsageRecord, webhook_records
from schemas.event import Event
from schemas.usage import Meter, UsageRecorded
from schemas.webhooks import WebhookReceived
from tests.factories import door_event, new_id

TENANT, SOURCE = new_id(), new_id()
START = datetime(2026, 2, 28, 23, 45, tzinfo=UTC)


def received(at: datetime, source: UUID = SOURCE, tenant: UUID = TENANT) -> Event:
    data = WebhookReceived(
        request_id=new_id(at),
        source_id=source,
        source_name="s",
        scheme="standard_webhooks",
        external_id=None,
        content_type="application/json",
        size_bytes=2,
        sha256="00",
        body_encoding="text",
        body="{}",
    )
    return door_event(data, source, tenant=tenant, at=at)


def record(at: datetime) -> UsageRecord:
    cause = received(START).cause
    return UsageRecord(
        cause, "training_seconds:j:1", "training_seconds", Decimal("4.862"), at, "j", (cause.id,)
    )


def test_every_meter_has_a_unit() -> None:
    assert set(UNITS) == set(get_args(Meter))


@pytest.mark.parametrize(
    ("at", "period"),
    [
        (datetime(2026, 2, 28, 23, 59, 59, 999999, UTC), date(2026, 2, 1)),
        (datetime(2026, 3, 1, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=2))), date(2026, 2, 1)),
        (datetime(2025, 12, 31, 23, tzinfo=timezone(timedelta(hours=-1))), date(2026, 1, 1)),
    ],
)
def test_a_period_is_a_utc_month(at: datetime, period: date) -> None:
    assert record(at).period == period


def test_the_event_says_all_and_has_the_same_id_again() -> None:
    one = record(START)
    event = one.event(START)
    assert isinstance(event.data, UsageRecorded)
    data = event.data
    assert (data.record_key, data.period, data.meter) == (
        one.record_key,
        date(2026, 2, 1),
        "training_seconds",
    )
    assert (data.quantity, data.unit, data.at, data.subject) == (
        Decimal("4.862"),
        "second",
        START,
        "j",
    )
    assert (event.subject, event.tenantid, event.causationid) == (
        "training_seconds",
        TENANT,
        one.cause.id,
    )
    assert event.id == one.event(START + timedelta(hours=1)).id


def test_two_records_of_one_cause_have_two_events() -> None:
    one = record(START)
    other = UsageRecord(
        one.cause, "dataset_rows:j", "dataset_rows", Decimal(1), START, "j", one.event_ids
    )
    assert one.event(START).id != other.event(START).id


def test_a_quarter_of_an_hour_is_one_record() -> None:
    last = START + timedelta(minutes=15) - timedelta(microseconds=1)
    events = [received(START), received(last), received(last + timedelta(microseconds=1))]
    first, second = webhook_records(events)
    assert (first.at, first.quantity, first.event_ids) == (
        START,
        Decimal(2),
        (events[0].id, events[1].id),
    )
    assert (second.at, second.quantity) == (START + timedelta(minutes=15), Decimal(1))
    assert (first.period, second.period) == (date(2026, 2, 1), date(2026, 3, 1))
    assert first.meter == "webhook_events"


def test_sources_and_tenants_are_kept_apart() -> None:
    other = new_id()
    events = [received(START), received(START, source=other), received(START, tenant=other)]
    records = webhook_records(events)
    assert [(one.cause.tenant, one.subject) for one in records] == [
        (TENANT, str(SOURCE)),
        (TENANT, str(other)),
        (other, str(SOURCE)),
    ]


def test_the_same_batch_has_the_same_keys_and_another_has_others() -> None:
    events = [received(START), received(START)]
    assert webhook_records(events) == webhook_records(list(events))
    keys = {
        webhook_records(batch)[0].record_key for batch in (events, events[1:], [received(START)])
    }
    assert len(keys) == 3


MOMENTS = st.lists(
    st.tuples(
        st.integers(0, 3600), st.sampled_from([SOURCE, TENANT]), st.sampled_from([TENANT, SOURCE])
    ),
    max_size=20,
)


@given(MOMENTS)
def test_every_event_is_billed_exactly_once(moments: list[tuple[int, UUID, UUID]]) -> None:
    events = [
        received(START + timedelta(seconds=late), source, tenant)
        for late, source, tenant in moments
    ]
    records = webhook_records(events)
    assert sorted(one for record in records for one in record.event_ids) == sorted(
        one.id for one in events
    )
    assert all(record.quantity == len(record.event_ids) for record in records)
    assert len({(record.cause.tenant, record.record_key) for record in records}) == len(records)
