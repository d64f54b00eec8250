"""Where each subscriber began, and the records that may kill it."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = """
CREATE TABLE consumer_starts (
    consumer TEXT NOT NULL,
    generation INTEGER NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next BIGINT NOT NULL,
    starts INTEGER NOT NULL,
    CONSTRAINT consumer_starts_pkey PRIMARY KEY (consumer, generation, topic, partition)
);

CREATE TABLE suspect_records (
    consumer TEXT NOT NULL,
    generation INTEGER NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset" BIGINT NOT NULL,
    deaths INTEGER DEFAULT '0' NOT NULL,
    ordered_by TEXT,
    reason TEXT,
    at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT suspect_records_pkey PRIMARY KEY (consumer, generation, topic, partition, "offset")
);

GRANT SELECT, INSERT, UPDATE, DELETE ON consumer_starts TO headrace_pipeline;

GRANT SELECT, INSERT, UPDATE, DELETE ON suspect_records TO headrace_pipeline;
"""

DOWN = """
DROP TABLE suspect_records, consumer_starts;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
