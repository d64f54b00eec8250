"""Which consumers are paused, why and by whom, and what the breaker remembers of each."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

consumer_breakers = Table(
    "consumer_breakers",
    metadata,
    Column("consumer", Text, nullable=False),
    Column(
        "state",
        Text,
        CheckConstraint("state IN ('running', 'paused')", name="consumer_breakers_state"),
        nullable=False,
        server_default="running",
    ),
    Column("reason", Text),
    Column("changed_by", Text),
    Column(
        "since", DateTime(timezone=True), nullable=False, server_default=text("headrace_clock()")
    ),
    Column("recent", Text, nullable=False, server_default=""),
    Column("allowed", Integer, nullable=False, server_default="0"),
    Column("tenants", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    PrimaryKeyConstraint("consumer", name="consumer_breakers_pkey"),
)
