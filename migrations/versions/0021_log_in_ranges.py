"""The log in ranges of seqs, made ahead; the table that is there becomes the first of them."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

SIZE = 8_000_000
# One statement a paragraph: the driver takes one at a time.
UP = r"""
-- Ranges, then a tail without end that takes what no range takes: nothing is refused. The tail is moved behind a new
-- range; where it has rows already, nothing happens, and the answer is false.
CREATE OR REPLACE FUNCTION headrace_add_range(parent regclass, begins bigint, ends bigint) RETURNS boolean
    LANGUAGE plpgsql AS $body$
DECLARE
    tail text := parent || '_tail';
    made text := format('%s_from_%s', parent, begins);
BEGIN
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %I', parent, tail);
    EXECUTE format('CREATE TABLE %I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', made, parent);
    PERFORM headrace_close_partition(made::regclass);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, made, begins, ends);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%s) TO (MAXVALUE)', parent, tail, ends);
    RETURN true;
EXCEPTION WHEN check_violation THEN
    RETURN false;
END
$body$;

-- A tail that has rows becomes a range; that they are below its end is checked before, as its constraint.
CREATE OR REPLACE FUNCTION headrace_close_tail(parent regclass, begins bigint, ends bigint) RETURNS void
    LANGUAGE plpgsql AS $body$
DECLARE
    tail text := parent || '_tail';
    made text := format('%s_from_%s', parent, begins);
BEGIN
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %I', parent, tail);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', tail, made);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, made, begins, ends);
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', made, tail || '_bound');
    EXECUTE format('CREATE TABLE %I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', tail, parent);
    PERFORM headrace_close_partition(tail::regclass);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%s) TO (MAXVALUE)', parent, tail, ends);
END
$body$;
"""
LAST = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM events_seq_seq"
# Validated beside those who write: the swap then looks at no row. An interrupted upgrade may have left one.
CHECK = """
DO $body$ BEGIN
    PERFORM headrace_lock_briefly('events');
    ALTER TABLE events DROP CONSTRAINT IF EXISTS events_bound;
    ALTER TABLE events ADD CONSTRAINT events_bound CHECK (seq < {bound}) NOT VALID;
END $body$
"""
# As long as it takes: nobody waits for it.
PATIENTLY, IN_TIME = "SET statement_timeout = 0", "SET statement_timeout = '15min'"
VALIDATE = "ALTER TABLE events VALIDATE CONSTRAINT events_bound"
LOCK = "SELECT headrace_lock_briefly('events')"
# A partition has no identity of its own. Indexes that are equal to the parent's are attached to them, not made again.
SWAP = """
ALTER TABLE events RENAME TO events_from_0;

ALTER INDEX events_pkey RENAME TO events_from_0_pkey;

ALTER INDEX events_tenant RENAME TO events_from_0_tenant;

ALTER INDEX events_aggregate RENAME TO events_from_0_aggregate;

ALTER INDEX events_correlation RENAME TO events_from_0_correlation;

ALTER TABLE events_from_0 ALTER COLUMN seq DROP IDENTITY;

CREATE TABLE events (LIKE events_from_0 INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (seq);

ALTER TABLE events DROP CONSTRAINT events_bound, ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (START WITH {next});

ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY (seq);

{indexes}

CREATE TABLE events_tail (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS);

SELECT headrace_close_partition('events_tail');

REVOKE ALL ON events_from_0 FROM headrace_api, headrace_pipeline;

ALTER TABLE events ATTACH PARTITION events_from_0 FOR VALUES FROM (MINVALUE) TO ({bound});

ALTER TABLE events_from_0 DROP CONSTRAINT events_bound;

ALTER TABLE events ATTACH PARTITION events_tail FOR VALUES FROM ({bound}) TO (MAXVALUE);

SELECT headrace_add_range('events', {bound}, {bound} + {size});
"""
INDEXES = """
CREATE INDEX events_tenant ON events (tenant_id, seq);

CREATE INDEX events_aggregate ON events (tenant_id, aggregate_id, seq);

CREATE INDEX events_correlation ON events (tenant_id, correlation_id);

SELECT headrace_protect('events');

-- The log is append-only.
REVOKE UPDATE, DELETE ON events FROM headrace_pipeline;
"""

DOWN = """
CREATE TABLE events_whole (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS);

INSERT INTO events_whole SELECT * FROM events;

DROP TABLE events;

ALTER TABLE events_whole RENAME TO events;

ALTER TABLE events ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (START WITH {next});

ALTER TABLE events ADD CONSTRAINT events_pkey PRIMARY KEY (seq);

{indexes}

DROP FUNCTION headrace_add_range(regclass, bigint, bigint), headrace_close_tail(regclass, bigint, bigint);
"""


def upgrade() -> None:
    last = _last()
    # Validating must end before the seqs get there: room for half an hour at 10,000 a second.
    bound = (last // SIZE + 3) * SIZE if last else SIZE
    # Each of these commits by itself, so that no lock outlives its statement; all of them may be done again.
    with op.get_context().autocommit_block():
        _run(UP)
        _run(CHECK.format(bound=bound))
        _validate()
    _run(LOCK)
    _run(SWAP.format(bound=bound, size=SIZE, next=_last() + 1, indexes=INDEXES.strip()))


def _validate() -> None:
    try:
        _run(PATIENTLY)
        _run(VALIDATE)
        _run(IN_TIME)
    except BaseException:
        # The release that goes on would refuse what comes beyond the end.
        _run("ALTER TABLE events DROP CONSTRAINT IF EXISTS events_bound")
        raise


def downgrade() -> None:
    # Nobody writes what would not come along.
    _run("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
    _run(DOWN.format(next=_last() + 1, indexes=INDEXES.strip()))


def _last() -> int:
    return int(op.get_bind().exec_driver_sql(LAST).scalar_one())


def _run(statements: str) -> None:
    for statement in statements.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
