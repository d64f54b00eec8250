"""Sources, the requests that reached them, and the keys by which a repeated one is known."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
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
    Column("scheme", Text, CheckConstraint("scheme IN ('standard_webhooks')", name="sources_scheme"), nullable=False),
    Column("secret", Text, nullable=False),
    Column("action", JSONB, nullable=False),
    Column("mapping_version", Integer, nullable=False, server_default="1"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("headrace_clock()")),
    PrimaryKeyConstraint("tenant_id", "id", name="sources_pkey"),
    Index("sources_id", "id", unique=True),
    Index("sources_name", "tenant_id", "name", unique=True),
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
    Column("body", LargeBinary, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("tenant_id", "id", name="requests_pkey"),
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
    Column("seen_at", DateTime(timezone=True), nullable=False),
    PrimaryKeyConstraint("tenant_id", "source_id", "key_hash", name="inbox_keys_pkey"),
)
