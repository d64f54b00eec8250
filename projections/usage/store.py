"""Rows of the usage view."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from projections.usage.fold import DayKey, Sum
from projections.usage.tables import read_usage_days, read_usage_records

RecordKey = tuple[UUID, date, str]
"""(tenant, period, record key)"""

READ = text("""
    SELECT meter, date_trunc(:window, day)::date AS window_start, sum(value) AS value, unit,
           sum(records)::bigint AS records
    FROM read_usage_days
    WHERE generation = (SELECT live FROM projection_heads WHERE view = 'usage')
      AND (CAST(:meter AS text) IS NULL OR meter = :meter)
    GROUP BY meter, 2, unit ORDER BY 2 DESC, meter
""")


async def take(tx: AsyncConnection, generation: int, keys: Sequence[RecordKey]) -> set[RecordKey]:
    """Those of `keys` that were not counted yet: only they may be added."""
    if not keys:
        return set()
    rows = [
        {"generation": generation, "tenant_id": tenant, "period": period, "record_key": key}
        for tenant, period, key in sorted(set(keys))
    ]
    taken = insert(read_usage_records).values(rows).on_conflict_do_nothing()
    columns = read_usage_records.c
    found = await tx.execute(taken.returning(columns.tenant_id, columns.period, columns.record_key))
    return {(row.tenant_id, row.period, row.record_key) for row in found}


async def add(tx: AsyncConnection, generation: int, sums: Mapping[DayKey, Sum]) -> None:
    """Add to the days."""
    if not sums:
        return
    rows = [
        {
            "generation": generation, "tenant_id": tenant, "meter": meter, "day": day, "unit": unit,
            "value": one.value, "records": one.records,
        }
        for (tenant, meter, day, unit), one in sorted(sums.items())
    ]  # fmt: skip
    adding = insert(read_usage_days).values(rows)
    await tx.execute(
        adding.on_conflict_do_update(
            constraint=read_usage_days.primary_key,
            set_={
                "value": read_usage_days.c.value + adding.excluded.value,
                "records": read_usage_days.c.records + adding.excluded.records,
            },
        )
    )


async def read(tx: AsyncConnection, given: dict[str, Any]) -> Sequence[RowMapping]:
    """Sums per meter and window (`day` or `month`, UTC), newest first."""
    return (await tx.execute(READ, given)).mappings().all()
