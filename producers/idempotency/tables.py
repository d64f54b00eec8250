"""Keys under which commands count once, with what they were answered."""

from sqlalchemy import (
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
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("principal_id", Uuid, nullable=False),
    Column("route", Text, nullable=False),
    Column("key_hash", LargeBinary, nullable=False),
    Column("body_hash", LargeBinary),
    Column("seed", Uuid, nullable=False),
    Column("token", Uuid, nullable=False),
    Column("claimed_at", DateTime(timezone=True), nullable=False),
    Column("leased_until", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("status", Integer),
    Column("headers", JSONB),
    Column("body", JSONB),
    PrimaryKeyConstraint(
        "tenant_id", "principal_id", "route", "key_hash", name="idempotency_keys_pkey"
    ),
    Index("idempotency_keys_expiry", "expires_at"),
)
