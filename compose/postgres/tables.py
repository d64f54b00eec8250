"""The position of every consumer and projection in every partition."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)

metadata = MetaData()

positions = Table(
    "positions",
    metadata,
    Column("consumer", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next", BigInteger, nullable=False),
    # The event before `next`: believed only where its offset is `next - 1`.
    Column("last_event_id", Uuid),
    Column("last_event_offset", BigInteger),
    Column(
        "updated_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    PrimaryKeyConstraint("consumer", "generation", "topic", "partition", name="positions_pkey"),
)

# Where a consumer or projection waits for an operator, because going on would lose or repeat
# records.
blocked_partitions = Table(
    "blocked_partitions",
    metadata,
    Column("consumer", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column(
        "since", DateTime(timezone=True), nullable=False, server_default=text("headrace_clock()")
    ),
    PrimaryKeyConstraint(
        "consumer", "generation", "topic", "partition", name="blocked_partitions_pkey"
    ),
)

# The Kafka cluster that the positions speak of: on another one they would mean other records.
kafka_cluster = Table(
    "kafka_cluster",
    metadata,
    Column("cluster_id", Text, primary_key=True),
    # Counts how often its offsets were made anew.
    Column("incarnation", Integer, nullable=False, server_default="0"),
)
