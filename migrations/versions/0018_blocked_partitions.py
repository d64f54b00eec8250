"""Where a consumer or projection waits for an operator, and why."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = """
CREATE TABLE blocked_partitions (
    consumer TEXT NOT NULL,
    generation INTEGER NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    reason TEXT NOT NULL,
    since TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT blocked_partitions_pkey PRIMARY KEY (consumer, generation, topic, partition)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON blocked_partitions TO headrace_pipeline;
"""

DOWN = """
DROP TABLE blocked_partitions;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
