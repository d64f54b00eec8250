"""Rows of the usage view."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from projections.usage.fold import DayKey, Sum

RecordKey = tuple[UUID, date, str]
"""(tenant, period, record key)"""

TAKE = text("""
    INSERT INTO read_usage_records (generation, tenant_id, period, record_key)
    SELECT :generation, tenant, period, key
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:periods AS date[]), CAST(:keys AS text[]))
         WITH ORDINALITY AS given(tenant, period, key, place)
    ORDER BY place
    ON CONFLICT DO NOTHING
    RETURNING tenant_id, period, record_key
""")
ADD = text("""
    INSERT INTO read_usage_days (generation, tenant_id, meter, day, unit, value, records)
    SELECT :generation, tenant, meter, day, unit, value, records
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:meters AS text[]), CAST(:days AS date[]),
        CAST(:units AS text[]),
                CAST(:values AS numeric[]), CAST(:records AS bigint[]))
         WITH ORDINALITY AS given(tenant, meter, day, unit, value, records, place)
    ORDER BY place
    ON CONFLICT ON CONSTRAINT read_usage_days_pkey DO UPDATE
    SET value = read_usage_days.value + excluded.value,
        records = read_usage_days.records + excluded.records
""")
READ = text("""
    SELECT meter, date_trunc(:window, day)::date AS window_start, sum(value) AS value, unit,
           sum(records)::bigint AS records
    FROM read_usage_days
    WHERE generation = (SELECT live FROM projection_heads WHERE view = 'usage')
      AND (CAST(:meter AS text) IS NULL OR meter = :meter)
      AND (CAST(:since AS date) IS NULL OR day >= :since)
      AND (CAST(:until AS date) IS NULL OR day < :until)
    GROUP BY meter, 2, unit ORDER BY 2 DESC, meter
""")


async def take(tx: AsyncConnection, generation: int, keys: Sequence[RecordKey]) -> set[RecordKey]:
    """Those of `keys` that were not counted yet: only they may be added."""
    if not keys:
        return set()
    tenants, periods, names = (list(column) for column in zip(*sorted(set(keys)), strict=True))
    given = {"generation": generation, "tenants": tenants, "periods": periods, "keys": names}
    return {(tenant, period, key) for tenant, period, key in (await tx.execute(TAKE, given)).all()}


async def add(tx: AsyncConnection, generation: int, sums: Mapping[DayKey, Sum]) -> None:
    """Add to the days."""
    if not sums:
        return
    keys = sorted(sums)
    tenants, meters, days, units = (list(column) for column in zip(*keys, strict=True))
    given = {
        "generation": generation,
        "tenants": tenants,
        "meters": meters,
        "days": days,
        "units": units,
    }
    added = {
        "values": [sums[key].value for key in keys],
        "records": [sums[key].records for key in keys],
    }
    await tx.execute(ADD, {**given, **added})


async def read(tx: AsyncConnection, given: dict[str, Any]) -> Sequence[RowMapping]:
    """Sums per meter and window (`day` or `month`, UTC), newest first."""
    return (await tx.execute(READ, given)).mappings().all()
