"""A tenant's own limits are found together with the key that is shown."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
-- What headrace_find_api_key gives, and the tenant's own limits with it: one question for each request. The other one
-- stays for a process that is not upgraded yet.
CREATE FUNCTION headrace_find_limited_api_key(shown bytea)
    RETURNS TABLE (tenant_id uuid, id uuid, name text, limits jsonb)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    'SELECT k.tenant_id, k.id, k.name, (SELECT coalesce(jsonb_object_agg(l.name, l.value), ''{}'')
                                        FROM tenant_limits l WHERE l.tenant_id = k.tenant_id)
     FROM headrace_find_api_key(shown) k';

REVOKE ALL ON FUNCTION headrace_find_limited_api_key(bytea) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION headrace_find_limited_api_key(bytea) TO headrace_api;
"""

DOWN = """
DROP FUNCTION headrace_find_limited_api_key(bytea);
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
