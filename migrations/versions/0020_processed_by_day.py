"""What consumers have had, in daily partitions; the table that is there becomes the first of them."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
-- Waits for no longer than others notice: whoever queues behind this lock stands as long as it waits. Many short tries.
CREATE OR REPLACE FUNCTION headrace_lock_briefly(target regclass) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM set_config('lock_timeout', '200ms', true);
    FOR attempt IN 1 .. 300 LOOP
        BEGIN
            EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.1);
        END;
    END LOOP;
    RAISE lock_not_available USING MESSAGE = format('%s was in use all the time; migrate again', target);
END
$body$;

-- As before; what has no tenant has no policies.
CREATE OR REPLACE FUNCTION headrace_close_partition(target regclass) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = 'tenant_id') THEN
        PERFORM headrace_protect(target);
    END IF;
    EXECUTE format('REVOKE ALL ON %s FROM headrace_api, headrace_pipeline', target);
END
$body$;
"""
# Ids up to the end of tomorrow stay where they are. Those beyond (a clock that was far ahead) go to the default one.
BOUND = """
SELECT headrace_first_id(((headrace_clock() AT TIME ZONE 'UTC')::date + 2)::timestamp AT TIME ZONE 'UTC')::text
"""
BEYOND = "SELECT EXISTS (SELECT FROM processed WHERE event_id >= '{bound}')"
# Validated beside those who write: the swap then looks at no row. An interrupted upgrade may have left one.
CHECK = """
DO $body$ BEGIN
    PERFORM headrace_lock_briefly('processed');
    ALTER TABLE processed DROP CONSTRAINT IF EXISTS processed_bound;
    ALTER TABLE processed ADD CONSTRAINT processed_bound CHECK (event_id < '{bound}') NOT VALID;
END $body$
"""
# As long as it takes: nobody waits for it.
PATIENTLY, IN_TIME = "SET statement_timeout = 0", "SET statement_timeout = '15min'"
VALIDATE = "ALTER TABLE processed VALIDATE CONSTRAINT processed_bound"
SWAP = """
SELECT headrace_lock_briefly('processed');

ALTER TABLE processed RENAME TO processed_before;

ALTER INDEX processed_pkey RENAME TO processed_before_pkey;

CREATE TABLE processed (LIKE processed_before) PARTITION BY RANGE (event_id);

ALTER TABLE processed ADD CONSTRAINT processed_pkey PRIMARY KEY (event_id, consumer);

GRANT SELECT, INSERT, UPDATE, DELETE ON processed TO headrace_pipeline;

CREATE TABLE processed_default (LIKE processed);

INSERT INTO processed_default SELECT event_id, consumer FROM processed_before WHERE event_id >= '{bound}';

DELETE FROM processed_before WHERE event_id >= '{bound}';

SELECT headrace_close_partition('processed_default');

SELECT headrace_close_partition('processed_before');

ALTER TABLE processed ATTACH PARTITION processed_before FOR VALUES FROM (MINVALUE) TO ('{bound}');

ALTER TABLE processed_before DROP CONSTRAINT IF EXISTS processed_bound;

ALTER TABLE processed ATTACH PARTITION processed_default DEFAULT;

-- The sweeper of the version before removes rows by ctid, which among partitions is another day's row as well: what it
-- removes stays. It finds nothing gone, and goes on to its next duty. Days are the owner's, and go as a whole.
CREATE FUNCTION headrace_keep_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';

CREATE TRIGGER processed_goes_by_day BEFORE DELETE ON processed
    FOR EACH ROW WHEN (current_user = 'headrace_pipeline') EXECUTE FUNCTION headrace_keep_row();
"""
# On a new installation there is nothing to keep, and the days begin with today.
DAYS = """
DO $body$ BEGIN
    IF NOT EXISTS (SELECT FROM processed_before) THEN
        ALTER TABLE processed DETACH PARTITION processed_before;
        DROP TABLE processed_before;
    END IF;
END $body$;

SELECT headrace_add_partition('processed', (headrace_clock() AT TIME ZONE 'UTC')::date + ahead)
FROM generate_series(0, 3) AS ahead WHERE ahead >= 2 OR to_regclass('processed_before') IS NULL;
"""

DOWN = """
CREATE TABLE processed_whole (LIKE processed);

INSERT INTO processed_whole SELECT event_id, consumer FROM processed;

DROP TABLE processed;

ALTER TABLE processed_whole RENAME TO processed;

ALTER TABLE processed ADD CONSTRAINT processed_pkey PRIMARY KEY (event_id, consumer);

GRANT SELECT, INSERT, UPDATE, DELETE ON processed TO headrace_pipeline;

DROP FUNCTION headrace_keep_row(), headrace_lock_briefly(regclass);

CREATE OR REPLACE FUNCTION headrace_close_partition(target regclass) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM headrace_protect(target);
    EXECUTE format('REVOKE ALL ON %s FROM headrace_api, headrace_pipeline', target);
END
$body$;
"""


def upgrade() -> None:
    # Each of these commits by itself, so that no lock outlives its statement; all of them may be done again.
    with op.get_context().autocommit_block():
        _run(UP)
        bound = op.get_bind().exec_driver_sql(BOUND).scalar_one()
        if not op.get_bind().exec_driver_sql(BEYOND.format(bound=bound)).scalar_one():
            _run(CHECK.format(bound=bound))
            _validate()
    _run(SWAP.format(bound=bound))
    _run(DAYS)


def _validate() -> None:
    try:
        _run(PATIENTLY)
        _run(VALIDATE)
        _run(IN_TIME)
    except BaseException:
        # The release that goes on would refuse what comes beyond the end.
        _run("ALTER TABLE processed DROP CONSTRAINT IF EXISTS processed_bound")
        raise


def downgrade() -> None:
    # Nobody writes what would not come along.
    _run("LOCK TABLE processed IN ACCESS EXCLUSIVE MODE")
    _run(DOWN)


def _run(statements: str) -> None:
    for statement in statements.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
