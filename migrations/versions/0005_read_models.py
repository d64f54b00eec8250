"""Read models: the generation comes first in every key."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
CREATE TABLE projection_heads (
    view TEXT NOT NULL,
    live INTEGER NOT NULL,
    PRIMARY KEY (view)
);

CREATE TABLE read_jobs (
    generation INTEGER NOT NULL,
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    document JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT read_jobs_pkey PRIMARY KEY (generation, tenant_id, id)
);

CREATE INDEX read_jobs_newest ON read_jobs (generation, tenant_id, created_at, id);

CREATE TABLE read_job_timeline (
    generation INTEGER NOT NULL,
    tenant_id UUID NOT NULL,
    job_id UUID NOT NULL,
    event_id UUID NOT NULL,
    version BIGINT NOT NULL,
    type TEXT NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    data JSONB NOT NULL,
    CONSTRAINT read_job_timeline_pkey PRIMARY KEY (generation, tenant_id, job_id, event_id)
);

CREATE TABLE read_metric_points (
    generation INTEGER NOT NULL,
    tenant_id UUID NOT NULL,
    model TEXT NOT NULL,
    metric TEXT NOT NULL,
    version INTEGER NOT NULL,
    value FLOAT(53) NOT NULL,
    baseline FLOAT(53),
    task TEXT NOT NULL,
    job_id UUID NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT read_metric_points_pkey PRIMARY KEY (generation, tenant_id, model, metric, version)
);

CREATE TABLE read_usage_records (
    generation INTEGER NOT NULL,
    tenant_id UUID NOT NULL,
    period DATE NOT NULL,
    record_key TEXT NOT NULL,
    CONSTRAINT read_usage_records_pkey PRIMARY KEY (generation, tenant_id, period, record_key)
);

CREATE TABLE read_usage_days (
    generation INTEGER NOT NULL,
    tenant_id UUID NOT NULL,
    meter TEXT NOT NULL,
    day DATE NOT NULL,
    unit TEXT NOT NULL,
    value NUMERIC(38, 9) NOT NULL,
    records BIGINT NOT NULL,
    CONSTRAINT read_usage_days_pkey PRIMARY KEY (generation, tenant_id, meter, day)
);

SELECT headrace_protect('read_jobs');

SELECT headrace_protect('read_job_timeline');

SELECT headrace_protect('read_metric_points');

SELECT headrace_protect('read_usage_records');

SELECT headrace_protect('read_usage_days');

GRANT SELECT, INSERT, UPDATE ON projection_heads TO headrace_pipeline;

GRANT SELECT ON projection_heads TO headrace_api;

INSERT INTO projection_heads (view, live) VALUES ('jobs', 1), ('metric_trends', 1), ('usage', 1);
"""

DOWN = """
DROP TABLE read_usage_days, read_usage_records, read_metric_points, read_job_timeline, read_jobs, projection_heads;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
