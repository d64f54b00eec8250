"""Rows of model lines and versions."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from consumers.finalization.tables import model_versions, models
from schemas.jobs import JobTrained
from schemas.measures import compared
from schemas.models import ModelTask

LISTED = (
    *(
        one
        for one in model_versions.c
        if one.name not in ("tenant_id", "details", "plan", "artifacts")
    ),
    model_versions.c.details["chosen"].astext.label("chosen"),
)

NEWEST = ("task", "target", "metrics", "baseline")


async def next_version(tx: AsyncConnection, tenant: UUID, name: str) -> int:
    """The number of a line's next version; the line is made when it is new, and locked."""
    first = upsert(models).values(tenant_id=tenant, name=name, versions=1)
    counted = first.on_conflict_do_update(
        index_elements=["tenant_id", "name"], set_={"versions": models.c.versions + 1}
    )
    return int((await tx.execute(counted.returning(models.c.versions))).scalar_one())


async def give_back(tx: AsyncConnection, tenant: UUID, name: str) -> None:
    """The number of a version that is not registered, under the lock that `next_version` took."""
    taken = update(models).where(models.c.tenant_id == tenant, models.c.name == name)
    await tx.execute(taken.values(versions=models.c.versions - 1))


async def tasks_of(
    tx: AsyncConnection, names: Collection[tuple[UUID, str]]
) -> dict[tuple[UUID, str], ModelTask]:
    """What the newest versions of models predict, by tenant and name.

    One without a version has none.
    """
    if not names:
        return {}
    known = model_versions.c
    query = select(known.tenant_id, known.name, known.target, known.task)
    query = query.where(tuple_(known.tenant_id, known.name).in_(sorted(set(names))))
    newest = query.ext(distinct_on(known.tenant_id, known.name))
    newest = newest.order_by(known.tenant_id, known.name, known.version.desc())
    rows = (await tx.execute(newest)).all()
    return {(row.tenant_id, row.name): ModelTask(target=row.target, task=row.task) for row in rows}


async def register(tx: AsyncConnection, tenant: UUID, version: int, data: JobTrained) -> None:
    """Insert one immutable version of a model."""
    await tx.execute(
        insert(model_versions).values(
            tenant_id=tenant,
            name=data.model,
            version=version,
            job_id=data.job_id,
            dataset_id=data.dataset_id,
            dataset_version=data.dataset_version,
            target=data.target,
            task=data.task,
            metrics=data.metrics,
            baseline=data.baseline,
            details=data.details,
            plan=data.plan,
            artifacts={name: one.model_dump() for name, one in data.artifacts.items()},
        )
    )


async def files_of(tx: AsyncConnection, tenant: UUID, job_id: UUID) -> set[str]:
    """The keys of the objects that the model version of a job has."""
    query = select(model_versions.c.artifacts)
    query = query.where(model_versions.c.tenant_id == tenant, model_versions.c.job_id == job_id)
    found = (await tx.execute(query)).scalar_one_or_none() or {}
    return {one["object_key"] for one in found.values()}


async def lines(tx: AsyncConnection, limit: int) -> Sequence[RowMapping]:
    """The tenant's lines with their newest version, newest line first."""
    query = (
        select(
            models.c.name,
            models.c.versions,
            models.c.created_at,
            *(model_versions.c[name] for name in NEWEST),
        )
        .join(
            model_versions,
            tuple_(model_versions.c.tenant_id, model_versions.c.name, model_versions.c.version)
            == tuple_(models.c.tenant_id, models.c.name, models.c.versions),
        )
        .order_by(models.c.created_at.desc())
        .limit(limit)
    )
    return (await tx.execute(query)).mappings().all()


async def versions(tx: AsyncConnection, name: str, limit: int) -> Sequence[RowMapping]:
    """A line's versions, newest first."""
    query = select(model_versions).where(model_versions.c.name == name)
    return (
        (await tx.execute(query.order_by(model_versions.c.version.desc()).limit(limit)))
        .mappings()
        .all()
    )


async def listed(tx: AsyncConnection, name: str, limit: int) -> Sequence[RowMapping]:
    """The same without details, plan and files, which one version has.

    What of them was chosen is there.
    """
    query = select(*LISTED).where(model_versions.c.name == name)
    return (
        (await tx.execute(query.order_by(model_versions.c.version.desc()).limit(limit)))
        .mappings()
        .all()
    )


async def version(tx: AsyncConnection, name: str, number: int) -> RowMapping | None:
    """One version of a line."""
    query = select(model_versions).where(
        model_versions.c.name == name, model_versions.c.version == number
    )
    return (await tx.execute(query)).mappings().one_or_none()


def shown(row: RowMapping) -> dict[str, Any]:
    """A version as people see it: without whose it is, which they know."""
    return compared({name: value for name, value in row.items() if name != "tenant_id"})
