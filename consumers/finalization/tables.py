"""Model lines and their immutable versions."""

from sqlalchemy import (
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

models = Table(
    "models",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("versions", Integer, nullable=False),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    PrimaryKeyConstraint("tenant_id", "name", name="models_pkey"),
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("dataset_id", Uuid, nullable=False),
    Column("dataset_version", Integer, nullable=False),
    Column("target", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("metrics", JSONB, nullable=False),
    Column("baseline", JSONB, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("plan", JSONB, nullable=False),
    Column("artifacts", JSONB, nullable=False),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    PrimaryKeyConstraint("tenant_id", "name", "version", name="model_versions_pkey"),
    Index("model_versions_job", "tenant_id", "job_id", unique=True),
)
