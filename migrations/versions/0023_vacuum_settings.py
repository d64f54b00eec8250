"""What autovacuum is told of each table that changes much, and room in pages for updates in place."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# Rows come and go by the second: vacuumed at once and without pauses, whatever few rows there are. Its end is not cut
# off, for that takes a lock that every accept waits for, and the next burst needs the pages again.
PASSING = {
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_threshold": 1000,
    "autovacuum_vacuum_cost_delay": 0,
    "vacuum_truncate": "off",
}
# A handful of rows, changed with every poll, round or batch, in columns that no index has. Postgres makes room in their
# pages by itself (999 of 1000 updates are made in place, whatever the fill factor); a fifth of them is no measure.
COUNTERS = {"autovacuum_vacuum_scale_factor": 0, "autovacuum_vacuum_threshold": 1000}
# As large as five weeks of webhooks: the sweeper takes the oldest by an index, whose dead entries it passes again with
# each batch until they are vacuumed, so a twentieth and not a fifth.
SWEPT = {"autovacuum_vacuum_scale_factor": 0.05, "autovacuum_vacuum_insert_scale_factor": 0.1}
# A queue: claims read the head of its indexes, where what was just finished is dead.
QUEUE = {"autovacuum_vacuum_scale_factor": 0.02, "autovacuum_vacuum_threshold": 500}
# A row is changed some five times soon after it came, in columns that no index has: with room in its page an update is
# made in place, without index entries. Of 100 such 27 were, now 83, and the table takes half of the pages.
DOCUMENTS = {"fillfactor": 70, "autovacuum_vacuum_scale_factor": 0.05}
# Written once: what vacuum has seen it freezes, so that it never has to read these pages again.
LOG = {"autovacuum_freeze_min_age": 0}
TOLD: dict[str, dict[str, object]] = {
    "outbox": PASSING,
    "outbox_held": PASSING,
    "positions": COUNTERS,
    "partition_ends": COUNTERS,
    "read_usage_days": COUNTERS,
    "streams": COUNTERS,
    "inbox_keys": SWEPT,
    "idempotency_keys": SWEPT,
    "work": QUEUE,
    "read_jobs": DOCUMENTS,
    "jobs": {"autovacuum_vacuum_scale_factor": 0.05},
}
LOGS = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass
"""
ADD_RANGE = """
CREATE OR REPLACE FUNCTION headrace_add_range(parent regclass, begins bigint, ends bigint) RETURNS boolean
    LANGUAGE plpgsql AS $body$
DECLARE
    tail text := parent || '_tail';
    made text := format('%s_from_%s', parent, begins);
BEGIN
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %I', parent, tail);
    EXECUTE format('CREATE TABLE %I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS){options}', made, parent);
    PERFORM headrace_close_partition(made::regclass);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, made, begins, ends);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%s) TO (MAXVALUE)', parent, tail, ends);
    RETURN true;
EXCEPTION WHEN check_violation THEN
    RETURN false;
END
$body$
"""


def upgrade() -> None:
    options = ", ".join(f"{name} = {value}" for name, value in LOG.items())
    _run(ADD_RANGE.replace("{options}", f" WITH ({options})"))
    for table, settings in _told().items():
        _run(
            f"ALTER TABLE {table} SET ({', '.join(f'{name} = {value}' for name, value in settings.items())})"
        )


def downgrade() -> None:
    _run(ADD_RANGE.replace("{options}", ""))
    for table, settings in _told().items():
        _run(f"ALTER TABLE {table} RESET ({', '.join(settings)})")


def _told() -> dict[str, dict[str, object]]:
    logs = op.get_bind().exec_driver_sql(LOGS).scalars().all()
    return TOLD | dict.fromkeys(logs, LOG)


def _run(statement: str) -> None:
    op.get_bind().exec_driver_sql(statement)
