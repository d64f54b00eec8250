"""The job: one row, moved only along allowed transitions (a trigger refuses others)."""

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
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("aggregate_version", BigInteger, nullable=False, server_default="0"),
    Column("kind", Text, nullable=False),
    Column("dataset_id", Uuid, nullable=False),
    Column("target", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("options", JSONB, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("cancel_reason", Text),
    Column("failure", JSONB),
    Column("cause_id", Uuid, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("traceparent", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column(
        "updated_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    PrimaryKeyConstraint("tenant_id", "id", name="jobs_pkey"),
    Index("jobs_waiting", "tenant_id", "dataset_id", postgresql_where=text("state = 'accepted'")),
)

job_transitions = Table(
    "job_transitions",
    metadata,
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    PrimaryKeyConstraint("from_state", "to_state", name="job_transitions_pkey"),
)
