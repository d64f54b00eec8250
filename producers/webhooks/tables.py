"""Sources, the requests that reached them, and the keys by which a repeated one is known."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

sources = Table(
    "sources",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("scheme", Text, nullable=False),
    Column("options", JSONB, nullable=False),
    Column("action", JSONB, nullable=False),
    Column("mapping_version", Integer, nullable=False, server_default="1"),
    Column("version", BigInteger, nullable=False, server_default="1"),
    Column("paused", Boolean, nullable=False, server_default="false"),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    Column(
        "updated_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    PrimaryKeyConstraint("tenant_id", "id", name="sources_pkey"),
    Index("sources_id", "id", unique=True),
    Index("sources_name", "tenant_id", "name", unique=True),
)

source_secrets = Table(
    "source_secrets",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    Column("expires_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("tenant_id", "source_id", "id", name="source_secrets_pkey"),
    ForeignKeyConstraint(
        ["tenant_id", "source_id"],
        ["sources.tenant_id", "sources.id"],
        "source_secrets_source",
        ondelete="CASCADE",
    ),
)

source_mappings = Table(
    "source_mappings",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("action", JSONB, nullable=False),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    PrimaryKeyConstraint("tenant_id", "source_id", "version", name="source_mappings_pkey"),
    ForeignKeyConstraint(
        ["tenant_id", "source_id"],
        ["sources.tenant_id", "sources.id"],
        "source_mappings_source",
        ondelete="CASCADE",
    ),
)

requests = Table(
    "requests",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("external_id", Text),
    Column("content_type", Text, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("body_key", Text),
    Column("possible_replay", Boolean, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("tenant_id", "id", name="requests_pkey"),
    Index("requests_newest", "tenant_id", "received_at", "id"),
    Index("requests_bodies", "id", postgresql_where=text("body_key IS NOT NULL")),
    postgresql_partition_by="RANGE (id)",
)

request_repeats = Table(
    "request_repeats",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("same_body", Boolean, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("tenant_id", "request_id", "id", name="request_repeats_pkey"),
    postgresql_partition_by="RANGE (id)",
)

rejected_requests = Table(
    "rejected_requests",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("reason", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("tenant_id", "id", name="rejected_requests_pkey"),
    Index("rejected_requests_received", "received_at"),
)

inbox_keys = Table(
    "inbox_keys",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("key_hash", LargeBinary, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("unsigned_id", Boolean, nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("tenant_id", "source_id", "key_hash", name="inbox_keys_pkey"),
    Index(
        "inbox_keys_body",
        "tenant_id",
        "source_id",
        "body_hash",
        postgresql_where=text("unsigned_id"),
    ),
    Index("inbox_keys_seen", "seen_at"),
)

tenant_limits = Table(
    "tenant_limits",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column(
        "value",
        Double,
        CheckConstraint("value > 0 AND value < 'Infinity'", "tenant_limits_value"),
        nullable=False,
    ),
    Column(
        "updated_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    PrimaryKeyConstraint("tenant_id", "name", name="tenant_limits_pkey"),
)
