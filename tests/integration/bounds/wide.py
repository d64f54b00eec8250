"""Rows whose documents are as large as they get."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from compose.postgres.connections import engine
from compose.settings import Settings
from consumers.finalization import store as models
from consumers.ingest import store as datasets
from consumers.ingest.dataset import Dataset
from schemas.datasets import Column
from schemas.jobs import JobTrained
from tests.factories import new_id

LABELS = [f"label {n} {'x' * 40}" for n in range(200)]
DETAILS: dict[str, Any] = {
    "chosen": "ridge",
    "classes": LABELS,
    "per_class": [
        {"label": one, "precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 10} for one in LABELS
    ],
    "confusion": [list(range(200)) for _ in LABELS],
}
JOB = text("""
    INSERT INTO read_jobs (generation, tenant_id, id, version, state, kind, model, document,
        created_at, updated_at)
    VALUES ((SELECT live FROM projection_heads WHERE view = 'jobs'), :tenant, :id, 5, 'succeeded',
        'train', 'wide',
            CAST(:document AS jsonb), now(), now())
""")


@asynccontextmanager
async def engine_of(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """Connections of the pipeline's role."""
    pool = engine(
        settings.postgres_url.get_secret_value(), "headrace_pipeline", "test", pool_size=1
    )
    yield pool
    await pool.dispose()


async def wide_datasets(tx: AsyncConnection, tenant: UUID, count: int) -> list[UUID]:
    """Each of 2000 columns with their profile."""
    names = [f"column {n} {'y' * 60}" for n in range(2000)]
    columns = tuple(Column(name=name, type="number") for name in names)
    profile = tuple(
        {
            "name": name,
            "type": "number",
            "empty": 0,
            "distinct": 12,
            "min": 0.5,
            "max": 1.5,
            "mean": 1.0,
            "std": 0.1,
        }
        for name in names
    )
    made = [
        Dataset(
            tenant,
            new_id(),
            "wide",
            "validated",
            "k",
            10,
            "00",
            1,
            datetime.now(UTC),
            n,
            20,
            columns,
            (),
            profile,
        )
        for n in range(count)
    ]
    await datasets.create(tx, made)
    return [one.id for one in made]


async def wide_jobs(tx: AsyncConnection, tenant: UUID, count: int) -> None:
    """Each with the measures of 200 classes, as its view has it."""
    document = json.dumps(
        {"kind": "train", "state": "succeeded", "options": {}, "details": DETAILS}
    )
    for _ in range(count):
        await tx.execute(JOB, {"tenant": tenant, "id": new_id(), "document": document})


async def wide_versions(tx: AsyncConnection, tenant: UUID, count: int) -> None:
    """Versions of one line with the same measures."""
    for _ in range(count):
        data = JobTrained(
            job_id=new_id(),
            attempt=1,
            kind="train",
            dataset_id=new_id(),
            dataset_version=1,
            target="target",
            model="wide",
            task="classification",
            metrics={"accuracy": 0.9},
            baseline={"accuracy": 0.4},
            details=DETAILS,
            plan={"seed": 1},
            artifacts={},
            reason="fitted and measured",
        )
        await models.register(tx, tenant, await models.next_version(tx, tenant, "wide"), data)
