"""Ingress: sources, requests and the keys of what was accepted."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
CREATE TABLE sources (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    scheme TEXT NOT NULL,
    options JSONB NOT NULL,
    action JSONB NOT NULL,
    mapping_version INTEGER DEFAULT '1' NOT NULL,
    version BIGINT DEFAULT '1' NOT NULL,
    paused BOOLEAN DEFAULT 'false' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT sources_pkey PRIMARY KEY (tenant_id, id)
);

CREATE UNIQUE INDEX sources_id ON sources (id);

CREATE UNIQUE INDEX sources_name ON sources (tenant_id, name);

CREATE TABLE source_secrets (
    tenant_id UUID NOT NULL,
    source_id UUID NOT NULL,
    id UUID NOT NULL,
    sealed BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT source_secrets_pkey PRIMARY KEY (tenant_id, source_id, id),
    CONSTRAINT source_secrets_source FOREIGN KEY(tenant_id, source_id) REFERENCES sources (tenant_id, id)
        ON DELETE CASCADE
);

CREATE TABLE source_mappings (
    tenant_id UUID NOT NULL,
    source_id UUID NOT NULL,
    version INTEGER NOT NULL,
    action JSONB NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT source_mappings_pkey PRIMARY KEY (tenant_id, source_id, version),
    CONSTRAINT source_mappings_source FOREIGN KEY(tenant_id, source_id) REFERENCES sources (tenant_id, id)
        ON DELETE CASCADE
);

CREATE TABLE requests (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    source_id UUID NOT NULL,
    event_id UUID NOT NULL,
    external_id TEXT,
    content_type TEXT NOT NULL,
    headers JSONB NOT NULL,
    size_bytes BIGINT NOT NULL,
    body_hash BYTEA NOT NULL,
    body_key TEXT,
    possible_replay BOOLEAN NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT requests_pkey PRIMARY KEY (tenant_id, id)
);

CREATE INDEX requests_newest ON requests (tenant_id, received_at, id);

CREATE TABLE request_repeats (
    tenant_id UUID NOT NULL,
    request_id UUID NOT NULL,
    id UUID NOT NULL,
    same_body BOOLEAN NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT request_repeats_pkey PRIMARY KEY (tenant_id, request_id, id)
);

CREATE TABLE rejected_requests (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    source_id UUID NOT NULL,
    reason TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    content_type TEXT NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT rejected_requests_pkey PRIMARY KEY (tenant_id, id)
);

CREATE TABLE inbox_keys (
    tenant_id UUID NOT NULL,
    source_id UUID NOT NULL,
    key_hash BYTEA NOT NULL,
    body_hash BYTEA NOT NULL,
    request_id UUID NOT NULL,
    event_id UUID NOT NULL,
    unsigned_id BOOLEAN NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT inbox_keys_pkey PRIMARY KEY (tenant_id, source_id, key_hash)
);

-- Only where the id is not signed can a known body come under a new one.
CREATE INDEX inbox_keys_body ON inbox_keys (tenant_id, source_id, body_hash) WHERE unsigned_id;

SELECT headrace_protect('sources');

SELECT headrace_protect('source_secrets');

SELECT headrace_protect('source_mappings');

SELECT headrace_protect('requests');

SELECT headrace_protect('request_repeats');

SELECT headrace_protect('rejected_requests');

SELECT headrace_protect('inbox_keys');

GRANT INSERT, UPDATE, DELETE ON sources TO headrace_api;

GRANT INSERT, UPDATE, DELETE ON source_secrets TO headrace_api;

GRANT INSERT ON source_mappings TO headrace_api;

-- Only the door claims identities.
REVOKE ALL ON inbox_keys FROM headrace_api;

-- Asked before the tenant is known: one source with its live secrets, by its id.
CREATE FUNCTION headrace_find_source(wanted uuid)
    RETURNS TABLE (tenant_id uuid, id uuid, name text, scheme text, options jsonb, paused boolean, sealed bytea[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    'SELECT s.tenant_id, s.id, s.name, s.scheme, s.options, s.paused,
            ARRAY(SELECT x.sealed FROM source_secrets x
                  WHERE x.tenant_id = s.tenant_id AND x.source_id = s.id
                    AND (x.expires_at IS NULL OR x.expires_at > headrace_clock())
                  ORDER BY x.created_at DESC)
     FROM sources s WHERE s.id = wanted';

REVOKE ALL ON FUNCTION headrace_find_source(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION headrace_find_source(uuid) TO headrace_pipeline;
"""

DOWN = """
DROP FUNCTION headrace_find_source(uuid);

DROP TABLE inbox_keys, rejected_requests, request_repeats, requests, source_mappings, source_secrets,
           sources;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
