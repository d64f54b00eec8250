"""Turns between the tenants of a work queue: whose was last, and what of each is next."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = """
ALTER TABLE work ADD COLUMN claimed_at TIMESTAMP WITH TIME ZONE;

CREATE INDEX work_waiting ON work (queue, tenant_id, priority DESC, created_at, id) WHERE state = 'ready';

CREATE INDEX work_turns ON work (queue, tenant_id, claimed_at) WHERE claimed_at IS NOT NULL;
"""

DOWN = """
DROP INDEX work_turns, work_waiting;

ALTER TABLE work DROP COLUMN claimed_at;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
