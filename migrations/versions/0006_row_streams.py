"""Streams of rows: payloads that gather until a version of their data set is sealed."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
CREATE TABLE streams (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    source_id UUID NOT NULL,
    dataset TEXT NOT NULL,
    shape TEXT NOT NULL,
    columns JSONB NOT NULL,
    seal JSONB NOT NULL,
    train JSONB,
    mapping_version INTEGER NOT NULL,
    is_current BOOLEAN NOT NULL,
    taken BIGINT NOT NULL,
    cut BIGINT NOT NULL,
    kept_after BIGINT NOT NULL,
    batches INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE,
    seal_at TIMESTAMP WITH TIME ZONE,
    cause_id UUID NOT NULL,
    correlation_id UUID NOT NULL,
    traceparent TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT streams_pkey PRIMARY KEY (tenant_id, id)
);

CREATE UNIQUE INDEX streams_current ON streams (tenant_id, source_id) WHERE is_current;

CREATE INDEX streams_due ON streams (seal_at) WHERE seal_at IS NOT NULL;

CREATE TABLE stream_rows (
    tenant_id UUID NOT NULL,
    stream_id UUID NOT NULL,
    number BIGINT NOT NULL,
    event_id UUID NOT NULL,
    ordinal INTEGER NOT NULL,
    cells JSONB NOT NULL,
    CONSTRAINT stream_rows_pkey PRIMARY KEY (tenant_id, stream_id, number)
);

CREATE UNIQUE INDEX stream_rows_event ON stream_rows (tenant_id, event_id, ordinal);

CREATE TABLE stream_batches (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    stream_id UUID NOT NULL,
    number INTEGER NOT NULL,
    after BIGINT NOT NULL,
    through BIGINT NOT NULL,
    drop_through BIGINT NOT NULL,
    dataset TEXT NOT NULL,
    columns JSONB NOT NULL,
    train JSONB,
    mapping_version INTEGER NOT NULL,
    cause_id UUID NOT NULL,
    correlation_id UUID NOT NULL,
    traceparent TEXT,
    cut_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    dataset_id UUID,
    sealed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT stream_batches_pkey PRIMARY KEY (tenant_id, id)
);

CREATE UNIQUE INDEX stream_batches_number ON stream_batches (tenant_id, stream_id, number);

SELECT headrace_protect('streams');

SELECT headrace_protect('stream_rows');

SELECT headrace_protect('stream_batches');
"""

DOWN = """
DROP TABLE stream_batches, stream_rows, streams;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
