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
    scheme TEXT NOT NULL CONSTRAINT sources_scheme CHECK (scheme IN ('standard_webhooks')),
    secret TEXT NOT NULL,
    action JSONB NOT NULL,
    mapping_version INTEGER DEFAULT '1' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT sources_pkey PRIMARY KEY (tenant_id, id)
);

CREATE UNIQUE INDEX sources_id ON sources (id);

CREATE UNIQUE INDEX sources_name ON sources (tenant_id, name);

CREATE TABLE requests (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    source_id UUID NOT NULL,
    event_id UUID NOT NULL,
    external_id TEXT,
    content_type TEXT NOT NULL,
    body BYTEA NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT requests_pkey PRIMARY KEY (tenant_id, id)
);

CREATE TABLE inbox_keys (
    tenant_id UUID NOT NULL,
    source_id UUID NOT NULL,
    key_hash BYTEA NOT NULL,
    body_hash BYTEA NOT NULL,
    request_id UUID NOT NULL,
    event_id UUID NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT inbox_keys_pkey PRIMARY KEY (tenant_id, source_id, key_hash)
);

SELECT headrace_protect('sources');

SELECT headrace_protect('requests');

SELECT headrace_protect('inbox_keys');

GRANT INSERT, UPDATE ON sources TO headrace_api;

-- Only the door claims identities.
REVOKE ALL ON inbox_keys FROM headrace_api;

-- Asked before the tenant is known: one source, by its id.
CREATE FUNCTION headrace_find_source(wanted uuid)
    RETURNS TABLE (tenant_id uuid, id uuid, name text, scheme text, secret text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    'SELECT tenant_id, id, name, scheme, secret FROM sources WHERE id = wanted';

REVOKE ALL ON FUNCTION headrace_find_source(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION headrace_find_source(uuid) TO headrace_pipeline;
"""

DOWN = """
DROP FUNCTION headrace_find_source(uuid);

DROP TABLE inbox_keys, requests, sources;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
