"""Work for child processes: a row per piece, claimed under a lease with a fencing token."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Double,
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

work = Table(
    "work",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("queue", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("payload", JSONB, nullable=False),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('ready', 'leased', 'done')", name="work_state"),
        nullable=False,
        server_default="ready",
    ),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("max_attempts", Integer, nullable=False, server_default="3"),
    Column("token", BigInteger, nullable=False, server_default="0"),
    Column("lease_until", DateTime(timezone=True)),
    Column("ready_at", DateTime(timezone=True), nullable=False),
    Column("deadline", DateTime(timezone=True), nullable=False),
    Column("run_seconds", Double),
    Column("cancel_reason", Text),
    Column("cause_id", Uuid, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("traceparent", Text),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("headrace_clock()")),
    Column("claimed_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("tenant_id", "id", name="work_pkey"),
    Index("work_subject", "tenant_id", "queue", "subject_id", unique=True),
    Index("work_open", "queue", "state", "priority", "ready_at", postgresql_where=text("state <> 'done'")),
    Index(
        "work_waiting", "queue", "tenant_id", text("priority DESC"), "created_at", "id",
        postgresql_where=text("state = 'ready'"),
    ),
    Index("work_turns", "queue", "tenant_id", "claimed_at", postgresql_where=text("claimed_at IS NOT NULL")),
    Index("work_done", "ready_at", postgresql_where=text("state = 'done'")),
)  # fmt: skip
