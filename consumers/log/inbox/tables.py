"""Which events a consumer has had its effect from."""

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, Table, Text, Uuid

metadata = MetaData()

processed = Table(
    "processed",
    metadata,
    Column("event_id", Uuid, nullable=False),
    Column("consumer", Text, nullable=False),
    PrimaryKeyConstraint("event_id", "consumer", name="processed_pkey"),
    postgresql_partition_by="RANGE (event_id)",
)
