"""Messages that a consumer could not handle, byte for byte."""

from sqlalchemy import (
    BigInteger,
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

metadata = MetaData()

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("consumer", Text, nullable=False),
    Column("event_id", Uuid),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", LargeBinary, nullable=False),
    Column("error_class", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column(
        "state", Text, CheckConstraint("state IN ('parked', 'discarded')", name="dead_letters_state"), nullable=False
    ),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("headrace_clock()")),
    PrimaryKeyConstraint("tenant_id", "id", name="dead_letters_pkey"),
    Index("dead_letters_position", "consumer", "topic", "partition", "offset", unique=True),
    Index("dead_letters_event", "consumer", "event_id", unique=True),
)
