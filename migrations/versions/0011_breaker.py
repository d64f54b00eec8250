"""Consumers that are paused, and what their breakers remember."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = """
CREATE TABLE consumer_breakers (
    consumer TEXT NOT NULL,
    state TEXT DEFAULT 'running' NOT NULL CONSTRAINT consumer_breakers_state CHECK (state IN ('running', 'paused')),
    reason TEXT,
    changed_by TEXT,
    since TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    recent TEXT DEFAULT '' NOT NULL,
    allowed INTEGER DEFAULT '0' NOT NULL,
    CONSTRAINT consumer_breakers_pkey PRIMARY KEY (consumer)
);

GRANT SELECT, INSERT, UPDATE ON consumer_breakers TO headrace_pipeline;
"""

DOWN = """
DROP TABLE consumer_breakers;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
