"""How long a piece of work may take, beside how long it may wait: its deadline begins at its first claim."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = """
SELECT headrace_lock_briefly('work');

ALTER TABLE work ADD COLUMN run_seconds DOUBLE PRECISION;
"""

DOWN = """
ALTER TABLE work DROP COLUMN run_seconds;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
