"""Where each subscriber began, and the records that may kill it."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

metadata = MetaData()

consumer_starts = Table(
    "consumer_starts",
    metadata,
    Column("consumer", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("next", BigInteger, nullable=False),
    Column("starts", Integer, nullable=False),
    PrimaryKeyConstraint(
        "consumer", "generation", "topic", "partition", name="consumer_starts_pkey"
    ),
)

suspect_records = Table(
    "suspect_records",
    metadata,
    Column("consumer", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("deaths", Integer, nullable=False, server_default="0"),
    Column("ordered_by", Text),
    Column("reason", Text),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("headrace_clock()")),
    PrimaryKeyConstraint(
        "consumer", "generation", "topic", "partition", "offset", name="suspect_records_pkey"
    ),
)
