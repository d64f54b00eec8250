"""How a dataset was read: part of what makes a version, and remembered for the dataset's name."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = """
SELECT headrace_lock_briefly('datasets');

ALTER TABLE datasets ADD COLUMN reading JSONB, ADD COLUMN reader INTEGER;

SELECT headrace_lock_briefly('dataset_names');

ALTER TABLE dataset_names ADD COLUMN reading JSONB, ADD COLUMN reading_at TIMESTAMPTZ;

SELECT headrace_lock_briefly('stream_rows');

ALTER TABLE stream_rows ADD COLUMN kinds TEXT;
"""

DOWN = """
ALTER TABLE stream_rows DROP COLUMN kinds;

ALTER TABLE dataset_names DROP COLUMN reading, DROP COLUMN reading_at;

ALTER TABLE datasets DROP COLUMN reading, DROP COLUMN reader;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
