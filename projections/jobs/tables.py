"""Jobs as they are read: one row a job, and its timeline."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

read_jobs = Table(
    "read_jobs",
    metadata,
    Column("generation", Integer, nullable=False),
    Column("tenant_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("generation", "tenant_id", "id", name="read_jobs_pkey"),
    Index("read_jobs_newest", "generation", "tenant_id", "created_at", "id"),
)

read_job_timeline = Table(
    "read_job_timeline",
    metadata,
    Column("generation", Integer, nullable=False),
    Column("tenant_id", Uuid, nullable=False),
    Column("job_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("data", JSONB, nullable=False),
    PrimaryKeyConstraint(
        "generation", "tenant_id", "job_id", "event_id", name="read_job_timeline_pkey"
    ),
)
