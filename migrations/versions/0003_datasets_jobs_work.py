"""Data sets, jobs with their transitions, and work for child processes."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
CREATE TABLE datasets (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    version INTEGER,
    state TEXT NOT NULL CONSTRAINT datasets_state CHECK (state IN ('submitted', 'validated', 'rejected')),
    object_key TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    rows BIGINT,
    columns JSONB,
    findings JSONB,
    profile JSONB,
    reason TEXT,
    aggregate_version BIGINT DEFAULT '0' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT datasets_pkey PRIMARY KEY (tenant_id, id)
);

CREATE INDEX datasets_name ON datasets (tenant_id, name, version);

CREATE TABLE dataset_names (
    tenant_id UUID NOT NULL,
    name TEXT NOT NULL,
    versions INTEGER NOT NULL,
    CONSTRAINT dataset_names_pkey PRIMARY KEY (tenant_id, name)
);

CREATE TABLE job_transitions (
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    CONSTRAINT job_transitions_pkey PRIMARY KEY (from_state, to_state)
);

CREATE TABLE jobs (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    state TEXT NOT NULL,
    aggregate_version BIGINT DEFAULT '0' NOT NULL,
    kind TEXT NOT NULL,
    dataset_id UUID NOT NULL,
    target TEXT NOT NULL,
    model TEXT NOT NULL,
    options JSONB NOT NULL,
    attempt INTEGER DEFAULT '0' NOT NULL,
    cancel_reason TEXT,
    failure JSONB,
    cause_id UUID NOT NULL,
    correlation_id UUID NOT NULL,
    traceparent TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT jobs_pkey PRIMARY KEY (tenant_id, id)
);

CREATE INDEX jobs_waiting ON jobs (tenant_id, dataset_id) WHERE state = 'accepted';

CREATE TABLE work (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    queue TEXT NOT NULL,
    subject_id UUID NOT NULL,
    payload JSONB NOT NULL,
    priority INTEGER DEFAULT '0' NOT NULL,
    state TEXT DEFAULT 'ready' NOT NULL CONSTRAINT work_state CHECK (state IN ('ready', 'leased', 'done')),
    attempt INTEGER DEFAULT '0' NOT NULL,
    max_attempts INTEGER DEFAULT '3' NOT NULL,
    token BIGINT DEFAULT '0' NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    ready_at TIMESTAMP WITH TIME ZONE NOT NULL,
    deadline TIMESTAMP WITH TIME ZONE NOT NULL,
    cancel_reason TEXT,
    cause_id UUID NOT NULL,
    correlation_id UUID NOT NULL,
    traceparent TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT work_pkey PRIMARY KEY (tenant_id, id)
);

CREATE INDEX work_open ON work (queue, state, priority, ready_at) WHERE state <> 'done';

CREATE UNIQUE INDEX work_subject ON work (tenant_id, queue, subject_id);

SELECT headrace_protect('datasets');

SELECT headrace_protect('dataset_names');

SELECT headrace_protect('jobs');

SELECT headrace_protect('work');

-- The API reads jobs through the projection; of the owner's row it may only ask whether it exists.
GRANT SELECT ON job_transitions TO headrace_pipeline;

INSERT INTO job_transitions (from_state, to_state) VALUES
    ('accepted', 'queued'), ('accepted', 'failed'), ('accepted', 'canceled'), ('accepted', 'expired'),
    ('queued', 'running'), ('queued', 'canceled'), ('queued', 'expired'), ('queued', 'failed'),
    ('running', 'finalizing'), ('running', 'failed'), ('running', 'canceled'), ('running', 'expired'),
    ('finalizing', 'succeeded'), ('finalizing', 'failed');

CREATE FUNCTION headrace_job_moves() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
    IF NEW.state <> OLD.state
        AND NOT EXISTS (SELECT FROM job_transitions WHERE from_state = OLD.state AND to_state = NEW.state)
    THEN
        RAISE EXCEPTION 'job % cannot go from % to %', OLD.id, OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.aggregate_version < OLD.aggregate_version THEN
        RAISE EXCEPTION 'job % cannot go back to version %', OLD.id, NEW.aggregate_version
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER jobs_move BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION headrace_job_moves();
"""

DOWN = """
DROP TABLE work, jobs, job_transitions, dataset_names, datasets;

DROP FUNCTION headrace_job_moves();
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
