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
        "state",
        Text,
        CheckConstraint(
            "state IN ('parked', 'replaying', 'applied', 'discarded')", name="dead_letters_state"
        ),
        nullable=False,
    ),
    Column(
        "created_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    Column("consumer_version", Text),
    Column("event_type", Text),
    Column("trace_id", Text),
    Column("stack", Text),
    Column(
        "last_failed_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    Column("discarded_at", DateTime(timezone=True)),
    Column("discarded_by", Text),
    Column("discard_reason", Text),
    # Of the log in which the offset is: after a restore the same offset is another record.
    Column("incarnation", Integer, nullable=False, server_default=text("headrace_incarnation()")),
    PrimaryKeyConstraint("tenant_id", "id", name="dead_letters_pkey"),
    Index(
        "dead_letters_place",
        "consumer",
        "topic",
        "partition",
        "offset",
        "incarnation",
        "tenant_id",
        unique=True,
    ),
    Index("dead_letters_event", "consumer", "event_id", unique=True),
    Index("dead_letters_newest", "tenant_id", "created_at", "id"),
    Index("dead_letters_fingerprint", "tenant_id", "fingerprint", "created_at"),
    Index(
        "dead_letters_open",
        "consumer",
        "error_class",
        "created_at",
        postgresql_where=text("state IN ('parked', 'replaying')"),
    ),
)
