"""Metric trends as they are read: one point per model version and metric."""

from sqlalchemy import (
    Column,
    DateTime,
    Float,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)

metadata = MetaData()

read_metric_points = Table(
    "read_metric_points",
    metadata,
    Column("generation", Integer, nullable=False),
    Column("tenant_id", Uuid, nullable=False),
    Column("model", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("value", Float(53), nullable=False),
    Column("baseline", Float(53)),
    Column("task", Text, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("dataset_id", Uuid),
    Column("dataset_version", Integer),
    PrimaryKeyConstraint(
        "generation", "tenant_id", "model", "metric", "version", name="read_metric_points_pkey"
    ),
)
