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
    postgresql_partition_by="RANGE (seq)",
)

outbox = Table(
    "outbox",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("size_bytes", BigInteger, nullable=False),
)

# What the relay has put aside: of topics that wait, and records that Kafka refuses (`refused_why`)
# with those that follow them under the same key.
outbox_held = Table(
    "outbox_held",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("refused_why", Text),
    Column("refused_key", LargeBinary),
    Column("refused_at", DateTime(timezone=True)),
)

# The highest offset of each partition that Kafka has confirmed, and the seq of the record there;
# written in the statement that strikes off the outbox. Topics as Kafka names them, as in positions.
# `went_back_at`: an acknowledgement came below it, so the log is another one until it is restored.
partition_ends = Table(
    "partition_ends",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("confirmed_offset", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("went_back_at", DateTime(timezone=True)),
)

# What keys are spread over, whatever Kafka says; while a topic is paused its rows wait. `settled`:
# the relay has seen it. `stopped_…`: the relay cannot send to it, and tries again by itself.
topic_layouts = Table(
    "topic_layouts",
    metadata,
    Column("topic", Text, primary_key=True),
    Column("partitions", Integer, nullable=False),
    Column("held_for", Integer),
    Column("held_by", Text),
    Column("held_since", DateTime(timezone=True)),
    Column("settled", Boolean, nullable=False, server_default="false"),
    Column("stopped_since", DateTime(timezone=True)),
    Column("stopped_why", Text),
)
