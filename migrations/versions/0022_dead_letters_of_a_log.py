"""Dead letters by tenant and by the log's incarnation too: offsets can be used again."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time. Each commits by itself and may be done again. The default
# is what a version that does not know the column writes.
UP = """
CREATE OR REPLACE FUNCTION headrace_incarnation() RETURNS integer LANGUAGE sql STABLE AS
    $body$ SELECT coalesce(max(incarnation), 0) FROM kafka_cluster $body$;

ALTER TABLE dead_letters ADD COLUMN IF NOT EXISTS incarnation INTEGER DEFAULT 0 NOT NULL;

ALTER TABLE dead_letters ALTER COLUMN incarnation SET DEFAULT headrace_incarnation();

DROP INDEX CONCURRENTLY IF EXISTS dead_letters_place;

CREATE UNIQUE INDEX CONCURRENTLY dead_letters_place
    ON dead_letters (consumer, topic, partition, "offset", incarnation, tenant_id);

DROP INDEX CONCURRENTLY IF EXISTS dead_letters_position;
"""

# Where a place was used again, the letter of the latest incarnation stays.
DOWN = """
DELETE FROM dead_letters d USING dead_letters o
WHERE (o.consumer, o.topic, o.partition, o."offset") = (d.consumer, d.topic, d.partition, d."offset")
  AND (o.incarnation, o.tenant_id, o.id) > (d.incarnation, d.tenant_id, d.id);

CREATE UNIQUE INDEX dead_letters_position ON dead_letters (consumer, topic, partition, "offset");

DROP INDEX dead_letters_place;

ALTER TABLE dead_letters DROP COLUMN incarnation;

DROP FUNCTION headrace_incarnation();
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in UP.strip().split("\n\n"):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
