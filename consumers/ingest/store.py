"""Rows of data sets.

Who decides about one, or waits for one, holds its lock, whether the row exists yet or not.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.ingest.dataset import Dataset, blames_the_file
from consumers.ingest.tables import dataset_names, datasets
from schemas.datasets import Column, Finding, Reading

Key = tuple[UUID, UUID]
"""(tenant, data set)"""

LISTED = (
    datasets.c.id,
    datasets.c.name,
    datasets.c.version,
    datasets.c.state,
    datasets.c.rows,
    func.coalesce(func.jsonb_array_length(datasets.c.columns), 0).label("column_count"),
    datasets.c.reason,
    datasets.c.size_bytes,
    datasets.c.sha256,
    datasets.c.created_at,
)
# A job may be admitted before its data set's row is there: a row lock would not keep the two apart.
LOCK = text("""
    SELECT pg_advisory_xact_lock(hashtextextended(id::text, 1))
    FROM (SELECT id FROM unnest(CAST(:ids AS uuid[])) AS given(id) ORDER BY id) AS sorted
""")


async def lock(tx: AsyncConnection, keys: Iterable[Key]) -> dict[Key, Dataset]:
    """Lock data sets by id, in order, and load those that exist."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    await tx.execute(LOCK, {"ids": [dataset for _, dataset in wanted]})
    rows = await tx.execute(
        select(datasets).where(tuple_(datasets.c.tenant_id, datasets.c.id).in_(wanted))
    )
    return {(row["tenant_id"], row["id"]): _dataset(row) for row in rows.mappings()}


async def create(tx: AsyncConnection, new: Sequence[Dataset]) -> None:
    """Insert data sets that were submitted."""
    if new:
        await tx.execute(insert(datasets).on_conflict_do_nothing(), [_row(one) for one in new])


async def save(tx: AsyncConnection, dataset: Dataset) -> None:
    """Write what validation decided."""
    changed = {**_row(dataset), "updated_at": func.headrace_clock()}
    await tx.execute(
        update(datasets)
        .where(datasets.c.tenant_id == dataset.tenant, datasets.c.id == dataset.id)
        .values(changed)
    )


async def version_for(tx: AsyncConnection, dataset: Dataset, reader: int) -> int:
    """The version of this content under its name: that of equal content read equally, else the
    next.
    """
    names = insert(dataset_names).values(tenant_id=dataset.tenant, name=dataset.name, versions=0)
    await tx.execute(names.on_conflict_do_nothing())
    mine = (dataset_names.c.tenant_id == dataset.tenant) & (dataset_names.c.name == dataset.name)
    await tx.execute(select(dataset_names).where(mine).with_for_update())
    same = select(func.min(datasets.c.version)).where(
        datasets.c.tenant_id == dataset.tenant,
        datasets.c.name == dataset.name,
        datasets.c.sha256 == dataset.sha256,
        func.coalesce(datasets.c.reader, 1) == reader,
        datasets.c.reading.is_not_distinct_from(_reading(dataset)),
    )
    known: int | None = (await tx.execute(same)).scalar_one()
    if known is not None:
        return known
    counted = update(dataset_names).where(mine).values(versions=dataset_names.c.versions + 1)
    return int((await tx.execute(counted.returning(dataset_names.c.versions))).scalar_one())


async def file_of(
    tx: AsyncConnection, tenant: UUID, dataset_id: UUID
) -> tuple[str, str, bool] | None:
    """The state of a data set, the key of its object, and whether its findings are about the
    file.
    """
    mine = (datasets.c.tenant_id == tenant) & (datasets.c.id == dataset_id)
    query = select(datasets.c.state, datasets.c.object_key, datasets.c.findings).where(mine)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    return row.state, row.object_key, blames_the_file(one["rule"] for one in row.findings or ())


async def newest(
    tx: AsyncConnection, limit: int, name: str | None = None, state: str | None = None
) -> Sequence[RowMapping]:
    """The tenant's datasets, newest first, without their documents: of a wide one these are
    megabytes.
    """
    query = select(*LISTED).order_by(datasets.c.created_at.desc(), datasets.c.id).limit(limit)
    for column, value in ((datasets.c.name, name), (datasets.c.state, state)):
        query = query if value is None else query.where(column == value)
    return (await tx.execute(query)).mappings().all()


async def newest_valid(tx: AsyncConnection, tenant: UUID, name: str) -> UUID | None:
    """The newest valid version of a name."""
    query = (
        select(datasets.c.id)
        .where(
            datasets.c.tenant_id == tenant,
            datasets.c.name == name,
            datasets.c.state == "validated",
            datasets.c.version.is_not(None),
        )
        .order_by(datasets.c.version.desc(), datasets.c.created_at.desc(), datasets.c.id.desc())
        .limit(1)
    )
    return (await tx.execute(query)).scalar_one_or_none()


async def one(tx: AsyncConnection, dataset_id: UUID) -> Dataset | None:
    """One data set of the tenant."""
    row = (
        (await tx.execute(select(datasets).where(datasets.c.id == dataset_id)))
        .mappings()
        .one_or_none()
    )
    return None if row is None else _dataset(row)


def _dataset(row: RowMapping) -> Dataset:
    return Dataset(
        row["tenant_id"],
        row["id"],
        row["name"],
        row["state"],
        row["object_key"],
        row["size_bytes"],
        row["sha256"],
        row["aggregate_version"],
        row["created_at"],
        row["version"],
        row["rows"],
        tuple(Column.model_validate(one) for one in row["columns"] or ()),
        tuple(Finding.model_validate(one) for one in row["findings"] or ()),
        tuple(row["profile"] or ()),
        row["reason"],
        row["reading"] and Reading.model_validate(row["reading"]),
        row["reader"],
    )


def _row(dataset: Dataset) -> dict[str, Any]:
    return {
        "tenant_id": dataset.tenant,
        "id": dataset.id,
        "name": dataset.name,
        "version": dataset.version,
        "state": dataset.state,
        "object_key": dataset.object_key,
        "size_bytes": dataset.size_bytes,
        "sha256": dataset.sha256,
        "rows": dataset.rows,
        "columns": [one.model_dump() for one in dataset.columns],
        "findings": [one.model_dump(mode="json") for one in dataset.findings],
        "profile": list(dataset.profile),
        "reading": _reading(dataset),
        "reader": dataset.reader,
        "reason": dataset.reason,
        "aggregate_version": dataset.aggregate_version,
        "created_at": dataset.created_at,
    }


def _reading(dataset: Dataset) -> dict[str, Any] | None:
    return None if dataset.reading is None else dataset.reading.model_dump(mode="json")
