"""Which generation of each view is read."""

from sqlalchemy import Column, Integer, MetaData, Table, Text

metadata = MetaData()

projection_heads = Table(
    "projection_heads",
    metadata,
    Column("view", Text, primary_key=True),
    Column("live", Integer, nullable=False),
)
