"""Deliveries by day, in partitions that are dropped whole; indexes behind what else is swept."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
-- Ids carry milliseconds and sort by them: a moment is a bound of ids.
CREATE FUNCTION headrace_first_id(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    $body$ SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $body$;

-- A partition is read through its parent only: protected like it, and granted to nobody.
CREATE FUNCTION headrace_close_partition(target regclass) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM headrace_protect(target);
    EXECUTE format('REVOKE ALL ON %s FROM headrace_api, headrace_pipeline', target);
END
$body$;

-- Made apart, closed, then attached: to make it in its place would lock the parent. False where it is there already,
-- or where the default partition has rows of that day, which then stay there.
CREATE FUNCTION headrace_add_partition(parent regclass, day date) RETURNS boolean LANGUAGE plpgsql AS $body$
DECLARE
    made text := parent || to_char(day, '"_p"YYYYMMDD');
    begins timestamptz := day::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF to_regclass(made) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE %s INCLUDING DEFAULTS)', made, parent);
    PERFORM headrace_close_partition(made::regclass);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, made,
                   headrace_first_id(begins), headrace_first_id(begins + interval '1 day'));
    RETURN true;
EXCEPTION WHEN check_violation THEN
    RETURN false;
END
$body$;

-- What is there becomes one partition up to the end of tomorrow, dropped as a whole in its time; where nothing is
-- there, nothing is kept. The default partition takes every id that no day takes, so that nothing is refused.
CREATE FUNCTION headrace_partition_by_day(target text) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    today date := (headrace_clock() AT TIME ZONE 'UTC')::date;
    ends timestamptz := (today + 2)::timestamp AT TIME ZONE 'UTC';
    old text := target || '_before';
    rest text := target || '_default';
    filled boolean;
BEGIN
    EXECUTE format('ALTER TABLE %I RENAME TO %I', target, old);
    EXECUTE format('ALTER INDEX %I RENAME TO %I', target || '_pkey', old || '_pkey');
    EXECUTE format('ALTER INDEX IF EXISTS %I RENAME TO %I', target || '_newest', old || '_newest');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS) PARTITION BY RANGE (id)', target, old);
    PERFORM headrace_protect(target::regclass);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS)', rest, target);
    EXECUTE format('CREATE INDEX %I ON %I (id)', rest || '_id', rest);
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', old) INTO filled;
    IF filled THEN
        EXECUTE format('REVOKE ALL ON %I FROM headrace_api, headrace_pipeline', old);
        EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE id >= %L', rest, old, headrace_first_id(ends));
        EXECUTE format('DELETE FROM %I WHERE id >= %L', old, headrace_first_id(ends));
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', target, old,
                       headrace_first_id(ends));
    ELSE
        EXECUTE format('DROP TABLE %I', old);
    END IF;
    PERFORM headrace_close_partition(rest::regclass);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I DEFAULT', target, rest);
END
$body$;

SELECT headrace_partition_by_day('requests');

SELECT headrace_partition_by_day('request_repeats');

ALTER TABLE requests ADD CONSTRAINT requests_pkey PRIMARY KEY (tenant_id, id);

CREATE INDEX requests_newest ON requests (tenant_id, received_at, id);

-- Few are large: whose objects go with the day is asked of this.
CREATE INDEX requests_bodies ON requests (id) WHERE body_key IS NOT NULL;

ALTER TABLE request_repeats ADD CONSTRAINT request_repeats_pkey PRIMARY KEY (tenant_id, request_id, id);

SELECT headrace_add_partition(parent::regclass, (headrace_clock() AT TIME ZONE 'UTC')::date + ahead)
FROM unnest(ARRAY['requests', 'request_repeats']) AS parent, generate_series(0, 3) AS ahead
WHERE ahead >= 2 OR to_regclass(parent || '_before') IS NULL;

DROP FUNCTION headrace_partition_by_day(text);

-- Not by day: the version before prunes this table by ctid, which is not one row's among partitions.
CREATE INDEX rejected_requests_received ON rejected_requests (received_at);

CREATE INDEX inbox_keys_seen ON inbox_keys (seen_at);

CREATE INDEX work_done ON work (ready_at) WHERE state = 'done';
"""

# Back into one table each, with all rows.
BACK = """
CREATE TABLE {table}_whole (LIKE {table} INCLUDING DEFAULTS);

INSERT INTO {table}_whole SELECT * FROM {table};

DROP TABLE {table};

ALTER TABLE {table}_whole RENAME TO {table};

SELECT headrace_protect('{table}');
"""
DOWN = (
    "DROP INDEX rejected_requests_received, inbox_keys_seen, work_done;\n"
    + "".join(BACK.format(table=table) for table in ("requests", "request_repeats"))
    + """
ALTER TABLE requests ADD CONSTRAINT requests_pkey PRIMARY KEY (tenant_id, id);

CREATE INDEX requests_newest ON requests (tenant_id, received_at, id);

ALTER TABLE request_repeats ADD CONSTRAINT request_repeats_pkey PRIMARY KEY (tenant_id, request_id, id);

DROP FUNCTION headrace_add_partition(regclass, date), headrace_close_partition(regclass),
              headrace_first_id(timestamptz);
"""
)


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
