"""The ledger's rows."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.billing.record import UNITS, UsageRecord

COLUMNS = (
    "tenants",
    "periods",
    "keys",
    "meters",
    "quantities",
    "units",
    "ats",
    "subjects",
    "event_ids",
)
# Arrays of different lengths do not make one array of two dimensions: each goes as its text.
WRITE = text("""
    INSERT INTO usage_records (tenant_id, period, record_key, meter, quantity, unit, at, subject,
        event_ids)
    SELECT tenant, period, key, meter, quantity, unit, at, subject, CAST(event_ids AS uuid[])
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:periods AS date[]), CAST(:keys AS text[]),
        CAST(:meters AS text[]),
                CAST(:quantities AS numeric[]), CAST(:units AS text[]), CAST(:ats AS timestamptz[]),
                CAST(:subjects AS text[]), CAST(:event_ids AS text[]))
         WITH ORDINALITY AS given(tenant, period, key, meter, quantity, unit, at, subject,
             event_ids, place)
    ORDER BY place
    ON CONFLICT DO NOTHING
    RETURNING tenant_id, record_key
""")


async def write(tx: AsyncConnection, records: Sequence[UsageRecord]) -> list[UsageRecord]:
    """Write records; returns those that were not there yet."""
    if not records:
        return []
    rows = [
        (
            one.cause.tenant,
            one.period,
            one.record_key,
            one.meter,
            one.quantity,
            UNITS[one.meter],
            one.at,
            one.subject,
            f"{{{','.join(map(str, one.event_ids))}}}",
        )
        for one in sorted(records, key=lambda one: (one.cause.tenant, one.period, one.record_key))
    ]
    columns = (list(column) for column in zip(*rows, strict=True))
    written = await tx.execute(WRITE, dict(zip(COLUMNS, columns, strict=True)))
    new = {(row.tenant_id, row.record_key) for row in written}
    return [one for one in records if (one.cause.tenant, one.record_key) in new]
