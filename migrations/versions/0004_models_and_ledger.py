"""Model lines and versions, and the ledger of usage."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
CREATE TABLE models (
    tenant_id UUID NOT NULL,
    name TEXT NOT NULL,
    versions INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT models_pkey PRIMARY KEY (tenant_id, name)
);

CREATE TABLE model_versions (
    tenant_id UUID NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    job_id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    dataset_version INTEGER NOT NULL,
    target TEXT NOT NULL,
    task TEXT NOT NULL,
    metrics JSONB NOT NULL,
    baseline JSONB NOT NULL,
    details JSONB NOT NULL,
    plan JSONB NOT NULL,
    artifacts JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT model_versions_pkey PRIMARY KEY (tenant_id, name, version)
);

CREATE UNIQUE INDEX model_versions_job ON model_versions (tenant_id, job_id);

CREATE TABLE usage_records (
    tenant_id UUID NOT NULL,
    period DATE NOT NULL,
    record_key TEXT NOT NULL,
    meter TEXT NOT NULL,
    quantity NUMERIC(38, 9) NOT NULL,
    unit TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    subject TEXT NOT NULL,
    event_ids UUID[] NOT NULL,
    written_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT usage_records_pkey PRIMARY KEY (tenant_id, period, record_key)
);

SELECT headrace_protect('models');

SELECT headrace_protect('model_versions');

SELECT headrace_protect('usage_records');

-- The ledger is append-only: a correction is another record.
REVOKE UPDATE, DELETE ON usage_records FROM headrace_pipeline;

REVOKE UPDATE, DELETE ON model_versions FROM headrace_pipeline;
"""

DOWN = """
DROP TABLE usage_records, model_versions, models;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
