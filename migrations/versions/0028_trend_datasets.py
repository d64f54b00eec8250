"""Which dataset each point of a metric trend was measured on; null for points from before."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = """
SELECT headrace_lock_briefly('read_metric_points');

ALTER TABLE read_metric_points ADD COLUMN dataset_id UUID, ADD COLUMN dataset_version INTEGER;
"""

DOWN = """
ALTER TABLE read_metric_points DROP COLUMN dataset_version, DROP COLUMN dataset_id;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
