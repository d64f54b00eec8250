"""Streams, the rows that are kept of them, and the batches that were cut; the owner is ingest."""

from sqlalchemy import (
    BigInteger,
    Boolean,
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

# Rows are numbered from 1: `cut` of the `taken` ones are in batches, those up to `kept_after` are
# needed no more.
streams = Table(
    "streams",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("source_id", Uuid, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("shape", Text, nullable=False),
    Column("columns", JSONB, nullable=False),
    Column("seal", JSONB, nullable=False),
    Column("train", JSONB(none_as_null=True)),
    Column("mapping_version", Integer, nullable=False),
    Column("is_current", Boolean, nullable=False),
    Column("taken", BigInteger, nullable=False),
    Column("cut", BigInteger, nullable=False),
    Column("kept_after", BigInteger, nullable=False),
    Column("batches", Integer, nullable=False),
    Column("sealed", Integer, nullable=False),
    Column("opened_at", DateTime(timezone=True)),
    Column("seal_at", DateTime(timezone=True)),
    Column("cause_id", Uuid, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("traceparent", Text),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    PrimaryKeyConstraint("tenant_id", "id", name="streams_pkey"),
    Index(
        "streams_current",
        "tenant_id",
        "source_id",
        unique=True,
        postgresql_where=text("is_current"),
    ),
    Index("streams_due", "seal_at", postgresql_where=text("seal_at IS NOT NULL")),
)

stream_rows = Table(
    "stream_rows",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("stream_id", Uuid, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("cells", JSONB, nullable=False),
    Column("kinds", Text),
    PrimaryKeyConstraint("tenant_id", "stream_id", "number", name="stream_rows_pkey"),
    Index("stream_rows_event", "tenant_id", "event_id", "ordinal", unique=True),
)

stream_batches = Table(
    "stream_batches",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("stream_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("drop_through", BigInteger, nullable=False),
    Column("dataset", Text, nullable=False),
    Column("columns", JSONB, nullable=False),
    Column("train", JSONB(none_as_null=True)),
    Column("mapping_version", Integer, nullable=False),
    Column("cause_id", Uuid, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("traceparent", Text),
    Column(
        "cut_at", DateTime(timezone=True), nullable=False, server_default=text("headrace_clock()")
    ),
    Column("dataset_id", Uuid),
    Column("sealed_at", DateTime(timezone=True)),
    PrimaryKeyConstraint("tenant_id", "id", name="stream_batches_pkey"),
    Index("stream_batches_number", "tenant_id", "stream_id", "number", unique=True),
)
