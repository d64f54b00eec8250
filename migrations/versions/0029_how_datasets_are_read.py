"""How a dataset was read: part of what makes a version, and remembered for the dataset's name."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
# All three or none, in each of many short tries: while one is waited for, the others are not kept from anybody.
UP = """
DO $body$
BEGIN
    PERFORM set_config('lock_timeout', '200ms', true);
    FOR attempt IN 1 .. 300 LOOP
        BEGIN
            LOCK TABLE datasets, dataset_names, stream_rows IN ACCESS EXCLUSIVE MODE;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
    RAISE lock_not_available USING MESSAGE = 'datasets were in use all the time; migrate again';
END
$body$;

ALTER TABLE datasets ADD COLUMN reading JSONB, ADD COLUMN reader INTEGER;

ALTER TABLE dataset_names ADD COLUMN reading JSONB, ADD COLUMN reading_at TIMESTAMPTZ;

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
