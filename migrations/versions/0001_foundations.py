"""Foundations: the clock, tenants and keys, the log and outbox, positions, dedupe, dead letters."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
CREATE TABLE clock_offset (
    one_row BOOLEAN PRIMARY KEY DEFAULT true CHECK (one_row),
    value INTERVAL NOT NULL DEFAULT '0'
);

INSERT INTO clock_offset DEFAULT VALUES;

GRANT SELECT ON clock_offset TO headrace_api, headrace_pipeline;

-- The only clock of every statement. STABLE, or it could not be an index condition; tests move the offset.
CREATE FUNCTION headrace_clock() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
    'SELECT clock_timestamp() + (SELECT value FROM clock_offset)';

-- A tenant's table: the API sees one tenant per transaction, owner and pipeline see all by an explicit policy.
CREATE FUNCTION headrace_protect(target regclass) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format($policy$
        CREATE POLICY one_tenant ON %s TO headrace_api
        USING (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)
        WITH CHECK (tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid)$policy$, target);
    EXECUTE format(
        'CREATE POLICY every_tenant ON %s TO headrace_owner, headrace_pipeline USING (true) WITH CHECK (true)', target);
    EXECUTE format('GRANT SELECT ON %s TO headrace_api', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO headrace_pipeline', target);
END
$body$;

CREATE TABLE tenants (
    tenant_id UUID NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    PRIMARY KEY (tenant_id),
    UNIQUE (name)
);

CREATE TABLE api_keys (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    hash BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT api_keys_pkey PRIMARY KEY (tenant_id, id)
);

CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

CREATE TABLE events (
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    topic TEXT NOT NULL,
    key BYTEA,
    value BYTEA,
    headers BYTEA NOT NULL,
    id UUID NOT NULL,
    type TEXT NOT NULL,
    tenant_id UUID NOT NULL,
    aggregate_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    correlation_id UUID NOT NULL,
    time TIMESTAMP WITH TIME ZONE NOT NULL,
    is_copy BOOLEAN DEFAULT 'false' NOT NULL,
    PRIMARY KEY (seq),
    CONSTRAINT events_value_sendable CHECK (octet_length(value) <= 921600)
);

CREATE INDEX events_aggregate ON events (tenant_id, aggregate_id, seq);

CREATE INDEX events_correlation ON events (tenant_id, correlation_id);

CREATE TABLE outbox (
    seq BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    PRIMARY KEY (seq)
);

CREATE TABLE positions (
    consumer TEXT NOT NULL,
    generation INTEGER NOT NULL,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next BIGINT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT positions_pkey PRIMARY KEY (consumer, generation, topic, partition)
);

CREATE TABLE kafka_cluster (
    cluster_id TEXT NOT NULL,
    PRIMARY KEY (cluster_id)
);

CREATE TABLE processed (
    event_id UUID NOT NULL,
    consumer TEXT NOT NULL,
    CONSTRAINT processed_pkey PRIMARY KEY (event_id, consumer)
);

CREATE TABLE dead_letters (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    consumer TEXT NOT NULL,
    event_id UUID,
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    "offset" BIGINT NOT NULL,
    key BYTEA,
    value BYTEA,
    headers BYTEA NOT NULL,
    error_class TEXT NOT NULL,
    error TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    state TEXT NOT NULL CONSTRAINT dead_letters_state CHECK (state IN ('parked', 'discarded')),
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT dead_letters_pkey PRIMARY KEY (tenant_id, id)
);

CREATE UNIQUE INDEX dead_letters_event ON dead_letters (consumer, event_id);

CREATE UNIQUE INDEX dead_letters_position ON dead_letters (consumer, topic, partition, "offset");

SELECT headrace_protect('tenants');

-- What has no readable tenant belongs to the operator's.
INSERT INTO tenants (tenant_id, name) VALUES ('00000000-0000-7000-8000-000000000000', 'operator');

SELECT headrace_protect('api_keys');

SELECT headrace_protect('events');

SELECT headrace_protect('dead_letters');

GRANT INSERT, UPDATE ON api_keys TO headrace_api;

-- The log is append-only.
REVOKE UPDATE, DELETE ON events FROM headrace_pipeline;

GRANT SELECT, INSERT, UPDATE, DELETE ON outbox, positions, processed, kafka_cluster TO headrace_pipeline;

GRANT SELECT ON positions TO headrace_api;

-- Asked before the tenant is known: one row, by the hash of the key that was shown.
CREATE FUNCTION headrace_find_api_key(shown bytea) RETURNS TABLE (tenant_id uuid, id uuid, name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    'SELECT tenant_id, id, name FROM api_keys WHERE hash = shown AND revoked_at IS NULL';

REVOKE ALL ON FUNCTION headrace_find_api_key(bytea) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION headrace_find_api_key(bytea) TO headrace_api;
"""

DOWN = """
DROP FUNCTION headrace_find_api_key(bytea);

DROP TABLE dead_letters, processed, kafka_cluster, positions, outbox, events, api_keys, tenants;

DROP FUNCTION headrace_protect(regclass);

DROP FUNCTION headrace_clock();

DROP TABLE clock_offset;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
