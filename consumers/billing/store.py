"""The ledger's rows."""

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.billing.record import UNITS, UsageRecord
from consumers.billing.tables import usage_records


async def write(tx: AsyncConnection, records: Sequence[UsageRecord]) -> list[UsageRecord]:
    """Write records; returns those that were not there yet."""
    if not records:
        return []
    rows = [
        {
            "tenant_id": one.cause.tenant, "period": one.period, "record_key": one.record_key, "meter": one.meter,
            "quantity": one.quantity, "unit": UNITS[one.meter], "at": one.at, "subject": one.subject,
            "event_ids": list(one.event_ids),
        }
        for one in sorted(records, key=lambda one: (one.cause.tenant, one.period, one.record_key))
    ]  # fmt: skip
    written = await tx.execute(
        insert(usage_records).values(rows).on_conflict_do_nothing()
        .returning(usage_records.c.tenant_id, usage_records.c.record_key)
    )  # fmt: skip
    new = {(row.tenant_id, row.record_key) for row in written}
    return [one for one in records if (one.cause.tenant, one.record_key) in new]
