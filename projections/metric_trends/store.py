"""Rows of the metric trends view."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from projections.metric_trends.fold import Point
from projections.metric_trends.tables import read_metric_points
from schemas.measures import better

MATCH = """
    generation = (SELECT live FROM projection_heads WHERE view = 'metric_trends')
    AND (CAST(:model AS text) IS NULL OR model = :model) AND (CAST(:metric AS text) IS NULL
        OR metric = :metric)
    AND (CAST(:since AS timestamptz) IS NULL OR time >= :since)
    AND (CAST(:until AS timestamptz) IS NULL OR time < :until)
"""
# `same_dataset` compares with the version before; it is null where one of the two is from before
# datasets were kept.
TREND = text(f"""
    SELECT model, metric, version, value, baseline, task, job_id, time, dataset_id, dataset_version,
           dataset_id = lag(dataset_id) OVER (PARTITION BY model, metric
               ORDER BY version) AS same_dataset
    FROM read_metric_points WHERE {MATCH} ORDER BY model, metric, version LIMIT :limit
""")
SUMMARY = text(f"""
    SELECT model, metric, max(task) AS task, count(*) AS versions, avg(value) AS average,
        min(value) AS minimum,
           max(value) AS maximum, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS p50,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY value) AS p90,
           (array_agg(value ORDER BY version DESC))[1] AS latest,
           (array_agg(value ORDER BY version DESC))[1] - (array_agg(value
               ORDER BY version DESC))[2] AS change
    FROM read_metric_points WHERE {MATCH} GROUP BY model, metric ORDER BY model, metric
""")


async def write(tx: AsyncConnection, generation: int, points: Sequence[Point]) -> None:
    """Add points; one that is there already stays."""
    if not points:
        return
    rows = [
        {
            "generation": generation,
            "tenant_id": one.tenant,
            "model": one.model,
            "metric": one.metric,
            "version": one.version,
            "value": one.value,
            "baseline": one.baseline,
            "task": one.task,
            "job_id": one.job_id,
            "time": one.time,
            "dataset_id": one.dataset_id,
            "dataset_version": one.dataset_version,
        }
        for one in points
    ]
    await tx.execute(insert(read_metric_points).on_conflict_do_nothing(), rows)


async def trend(tx: AsyncConnection, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Points by model, metric and version."""
    return [_directed(row) for row in (await tx.execute(TREND, given)).mappings()]


async def summary(tx: AsyncConnection, given: dict[str, Any]) -> list[dict[str, Any]]:
    """One row per model and metric."""
    return [_directed(row) for row in (await tx.execute(SUMMARY, given)).mappings()]


def _directed(row: RowMapping) -> dict[str, Any]:
    return {**row, "better": better(row["metric"])}
