"""The readings of datasets' names, in the row that counts a name's versions."""

from collections.abc import Mapping

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.ingest.readings.remembered import Name, Readings
from consumers.ingest.tables import dataset_names
from schemas.datasets import Reading

KEY = tuple_(dataset_names.c.tenant_id, dataset_names.c.name)


async def load(tx: AsyncConnection, names: Mapping[Name, bool]) -> Readings:
    """What was said of these names; those that are said something of now are locked, in order."""
    if not names:
        return Readings()
    said = sorted(name for name, says in names.items() if says)
    if said:
        new = [{"tenant_id": tenant, "name": name, "versions": 0} for tenant, name in said]
        await tx.execute(insert(dataset_names).on_conflict_do_nothing(), new)
        locked = select(dataset_names.c.name).where(KEY.in_(said)).order_by(*KEY.clauses)
        await tx.execute(locked.with_for_update())
    query = select(dataset_names).where(
        KEY.in_(sorted(names)), dataset_names.c.reading_at.is_not(None)
    )
    return Readings(
        {
            (row.tenant_id, row.name): (Reading.model_validate(row.reading), row.reading_at)
            for row in await tx.execute(query)
        }
    )


async def save(tx: AsyncConnection, readings: Readings) -> None:
    """Write what was said now."""
    for name in sorted(readings.changed):
        tenant, dataset = name
        reading, at = readings.known[name]
        mine = (dataset_names.c.tenant_id == tenant) & (dataset_names.c.name == dataset)
        values = {"reading": reading.model_dump(mode="json"), "reading_at": at}
        await tx.execute(update(dataset_names).where(mine).values(values))
