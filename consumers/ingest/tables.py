"""Data sets and their versions; the owner is ingest."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
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

datasets = Table(
    "datasets",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Integer),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('submitted', 'validated', 'rejected')", name="datasets_state"),
        nullable=False,
    ),
    Column("object_key", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("rows", BigInteger),
    Column("columns", JSONB),
    Column("findings", JSONB),
    Column("profile", JSONB),
    Column("reason", Text),
    Column("reading", JSONB(none_as_null=True)),
    Column("reader", Integer),
    Column("aggregate_version", BigInteger, nullable=False, server_default="0"),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column(
        "updated_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    PrimaryKeyConstraint("tenant_id", "id", name="datasets_pkey"),
    Index("datasets_name", "tenant_id", "name", "version"),
)

dataset_names = Table(
    "dataset_names",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("versions", Integer, nullable=False),
    Column("reading", JSONB(none_as_null=True)),
    Column("reading_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("tenant_id", "name", name="dataset_names_pkey"),
)
