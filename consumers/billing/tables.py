"""The ledger: one row per metered effect."""

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

metadata = MetaData()

usage_records = Table(
    "usage_records",
    metadata,
    Column("tenant_id", Uuid, nullable=False),
    Column("period", Date, nullable=False),
    Column("record_key", Text, nullable=False),
    Column("meter", Text, nullable=False),
    Column("quantity", Numeric(38, 9), nullable=False),
    Column("unit", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("subject", Text, nullable=False),
    Column("event_ids", ARRAY(Uuid), nullable=False),
    Column(
        "written_at",
        DateTime(timezone=True),
        nullable=False,
        server_default=text("headrace_clock()"),
    ),
    PrimaryKeyConstraint("tenant_id", "period", "record_key", name="usage_records_pkey"),
)
