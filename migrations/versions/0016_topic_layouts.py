"""Over how many partitions each topic's keys are spread, and the rows of topics that are held."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = """
CREATE TABLE topic_layouts (
    topic TEXT NOT NULL,
    partitions INTEGER NOT NULL,
    held_for INTEGER,
    held_by TEXT,
    held_since TIMESTAMP WITH TIME ZONE,
    settled BOOLEAN DEFAULT 'false' NOT NULL,
    PRIMARY KEY (topic)
);

CREATE TABLE outbox_held (
    seq BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    topic TEXT NOT NULL,
    PRIMARY KEY (seq)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON topic_layouts, outbox_held TO headrace_pipeline;
"""

DOWN = """
INSERT INTO outbox (seq, size_bytes) SELECT seq, size_bytes FROM outbox_held;

DROP TABLE outbox_held, topic_layouts;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
