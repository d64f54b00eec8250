"""Limits of a tenant's own, found together with its source."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
CREATE TABLE tenant_limits (
    tenant_id UUID NOT NULL,
    name TEXT NOT NULL,
    value FLOAT(53) NOT NULL CONSTRAINT tenant_limits_value CHECK (value > 0 AND value < 'Infinity'),
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT tenant_limits_pkey PRIMARY KEY (tenant_id, name)
);

SELECT headrace_protect('tenant_limits');

-- What headrace_find_source gives, and the tenant's own limits with it: the hot route asks once. The other one stays
-- for a process that is not upgraded yet.
CREATE FUNCTION headrace_find_limited_source(wanted uuid)
    RETURNS TABLE (tenant_id uuid, id uuid, name text, scheme text, options jsonb, paused boolean, sealed bytea[],
                   limits jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    'SELECT s.*, (SELECT coalesce(jsonb_object_agg(l.name, l.value), ''{}'')
                  FROM tenant_limits l WHERE l.tenant_id = s.tenant_id)
     FROM headrace_find_source(wanted) s';

REVOKE ALL ON FUNCTION headrace_find_limited_source(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION headrace_find_limited_source(uuid) TO headrace_pipeline;
"""

DOWN = """
DROP FUNCTION headrace_find_limited_source(uuid);

DROP TABLE tenant_limits;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
