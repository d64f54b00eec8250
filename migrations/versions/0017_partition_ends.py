"""How far Kafka has confirmed each partition, what each position came after, and what the relay could not send."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = """
CREATE TABLE partition_ends (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    confirmed_offset BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    went_back_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (topic, partition)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON partition_ends TO headrace_pipeline;

-- The id is believed only where its offset is `next - 1`: the version before moves `next` alone.
ALTER TABLE positions ADD COLUMN last_event_id UUID, ADD COLUMN last_event_offset BIGINT;

ALTER TABLE kafka_cluster ADD COLUMN incarnation INTEGER DEFAULT 0 NOT NULL;

ALTER TABLE topic_layouts
    ADD COLUMN stopped_since TIMESTAMP WITH TIME ZONE, ADD COLUMN stopped_why TEXT;

ALTER TABLE outbox_held
    ADD COLUMN refused_why TEXT, ADD COLUMN refused_key BYTEA,
    ADD COLUMN refused_at TIMESTAMP WITH TIME ZONE;
"""

# What waits goes back to the relay: the version before brings back only what it has put aside itself.
DOWN = """
WITH back AS (
    DELETE FROM outbox_held h USING topic_layouts l
    WHERE l.topic = h.topic AND l.held_since IS NULL RETURNING h.seq, h.size_bytes
)
INSERT INTO outbox (seq, size_bytes) SELECT seq, size_bytes FROM back;

ALTER TABLE outbox_held DROP COLUMN refused_why, DROP COLUMN refused_key, DROP COLUMN refused_at;

ALTER TABLE topic_layouts DROP COLUMN stopped_since, DROP COLUMN stopped_why;

ALTER TABLE kafka_cluster DROP COLUMN incarnation;

ALTER TABLE positions DROP COLUMN last_event_id, DROP COLUMN last_event_offset;

DROP TABLE partition_ends;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
