"""Objects by tenant, and the sum of their bytes, which a trigger keeps."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

metadata = MetaData()

# `is_needed`: its owner was seen to refer to it, so that the sweeper asks no more.
stored_objects = Table(
    "stored_objects",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("is_needed", Boolean, nullable=False, server_default="false"),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    PrimaryKeyConstraint("tenant_id", "object_key", name="stored_objects_pkey"),
    Index(
        "stored_objects_unjudged",
        "created_at",
        "tenant_id",
        "object_key",
        postgresql_where=text("NOT is_needed"),
    ),
)

tenant_storage = Table(
    "tenant_storage",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("used_bytes", BigInteger, nullable=False),
)
