"""The log of every event, and the list of those that Kafka has not confirmed."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)

metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", LargeBinary, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("tenant_id", Uuid, nullable=False),
    Column("aggregate_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("is_copy", Boolean, nullable=False, server_default="false"),
    CheckConstraint("octet_length(value) <= 921600", name="events_value_sendable"),
    Index("events_tenant", "tenant_id", "seq"),
    Index("events_aggregate", "tenant_id", "aggregate_id", "seq"),
    Index("events_correlation", "tenant_id", "correlation_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("size_bytes", BigInteger, nullable=False),
)

# What the relay has put aside of topics that are held.
outbox_held = Table(
    "outbox_held",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
)

# What keys are spread over, whatever Kafka says; while a topic is held its rows wait. `settled`: the relay has seen it.
topic_layouts = Table(
    "topic_layouts",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partitions", Integer, nullable=False),
    Column("held_for", Integer),
    Column("held_by", Text),
    Column("held_since", DateTime(timezone=True)),
    Column("settled", Boolean, nullable=False, server_default="false"),
)
