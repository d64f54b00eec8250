"""Usage summed per tenant, meter and UTC day, exactly."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from projections.usage.fold import Sum, sums
from schemas.usage import Meter, UsageRecorded

A, B = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def used(
    quantity: str, at: datetime = NOON, meter: Meter = "training_seconds", unit: str = "second"
) -> UsageRecorded:
    return UsageRecorded(
        record_key="k",
        period=at.date().replace(day=1),
        meter=meter,
        quantity=Decimal(quantity),
        unit=unit,
        at=at,
        subject="s",
    )


def test_sums_are_exact() -> None:
    assert sums([(A, used("0.1")), (A, used("0.2"))]) == {
        (A, "training_seconds", date(2026, 3, 2), "second"): Sum(Decimal("0.3"), 2)
    }


def test_tenants_meters_days_and_units_are_kept_apart() -> None:
    tomorrow = NOON + timedelta(days=1)
    found = sums(
        [
            (A, used("1")),
            (B, used("2")),
            (A, used("3", tomorrow)),
            (A, used("4", meter="jobs", unit="job")),
            (A, used("5", unit="hour")),
        ]
    )
    assert sorted(one.value for one in found.values()) == [1, 2, 3, 4, 5]


def test_a_day_is_a_utc_day() -> None:
    west = timezone(timedelta(hours=-5))
    (key,) = sums([(A, used("1", datetime(2026, 3, 1, 20, tzinfo=west)))])
    assert key[2] == date(2026, 3, 2)


def test_nothing_gives_nothing() -> None:
    assert sums([]) == {}


RECORDS = st.lists(
    st.tuples(
        st.sampled_from([A, B]),
        st.builds(
            used,
            st.decimals(0, 10**6, places=9).map(str),
            st.sampled_from([NOON, NOON + timedelta(days=1)]),
        ),
    ),
    max_size=12,
)


@given(RECORDS)
def test_whatever_is_used_is_in_one_sum(records: list[tuple[UUID, UsageRecorded]]) -> None:
    found = sums(records)
    assert sum(one.value for one in found.values()) == sum(data.quantity for _, data in records)
    assert sum(one.records for one in found.values()) == len(records)
    assert found == sums(reversed(records))
