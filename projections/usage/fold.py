"""Usage records summed per meter and UTC day: pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date
from decimal import Decimal
from uuid import UUID

from schemas.usage import UsageRecorded

DayKey = tuple[UUID, str, date, str]
"""(tenant, meter, day, unit)"""


@dataclass(frozen=True, slots=True)
class Sum:
    """What a batch adds to one day of one meter."""

    value: Decimal
    records: int


def sums(records: Iterable[tuple[UUID, UsageRecorded]]) -> dict[DayKey, Sum]:
    """What these records add, each counted once already."""
    found: dict[DayKey, Sum] = {}
    for tenant, data in records:
        key = (tenant, data.meter, data.at.astimezone(UTC).date(), data.unit)
        before = found.get(key, Sum(Decimal(0), 0))
        found[key] = Sum(before.value + data.quantity, before.records + 1)
    return found
