"""Usage as it is read: the records that were counted, and their sum per meter and UTC day."""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)

metadata = MetaData()

read_usage_records = Table(
    "read_usage_records",
    metadata,
    Column("generation", Integer, nullable=False),
    Column("tenant_id", Uuid, nullable=False),
    Column("period", Date, nullable=False),
    Column("record_key", Text, nullable=False),
    PrimaryKeyConstraint(
        "generation", "tenant_id", "period", "record_key", name="read_usage_records_pkey"
    ),
)

read_usage_days = Table(
    "read_usage_days",
    metadata,
    Column("generation", Integer, nullable=False),
    Column("tenant_id", Uuid, nullable=False),
    Column("meter", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("unit", Text, nullable=False),
    Column("value", Numeric(38, 9), nullable=False),
    Column("records", BigInteger, nullable=False),
    PrimaryKeyConstraint("generation", "tenant_id", "meter", "day", name="read_usage_days_pkey"),
)
