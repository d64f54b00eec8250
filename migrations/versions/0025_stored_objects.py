"""What stands in the object store, whose it is, and how much of it each tenant has."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
CREATE TABLE stored_objects (
    tenant_id UUID NOT NULL,
    object_key TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    is_needed BOOLEAN DEFAULT 'false' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT stored_objects_pkey PRIMARY KEY (tenant_id, object_key)
);

CREATE INDEX stored_objects_unjudged ON stored_objects (created_at, tenant_id, object_key) WHERE NOT is_needed;

CREATE TABLE tenant_storage (
    tenant_id UUID NOT NULL,
    used_bytes BIGINT NOT NULL,
    PRIMARY KEY (tenant_id)
);

SELECT headrace_protect('stored_objects');

SELECT headrace_protect('tenant_storage');

-- Whoever adds, resizes or removes an object moves the tenant's sum in the same transaction.
CREATE FUNCTION headrace_count_storage() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        UPDATE tenant_storage SET used_bytes = used_bytes - OLD.size_bytes WHERE tenant_id = OLD.tenant_id;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO tenant_storage AS s (tenant_id, used_bytes) VALUES (NEW.tenant_id, NEW.size_bytes)
        ON CONFLICT (tenant_id) DO UPDATE SET used_bytes = s.used_bytes + excluded.used_bytes;
    END IF;
    RETURN NULL;
END
$body$;

CREATE TRIGGER stored_objects_count AFTER INSERT OR UPDATE OF size_bytes OR DELETE ON stored_objects
    FOR EACH ROW EXECUTE FUNCTION headrace_count_storage();

-- Holds room for an object, or says why there is none: the lock on the sum lets one after the other in.
CREATE FUNCTION headrace_hold_storage(tenant uuid, key text, bytes bigint, setting double precision)
    RETURNS TABLE (held boolean, used bigint, allowed bigint)
    LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
    INSERT INTO tenant_storage (tenant_id, used_bytes) VALUES (tenant, 0) ON CONFLICT DO NOTHING;
    SELECT s.used_bytes INTO used FROM tenant_storage s WHERE s.tenant_id = tenant FOR UPDATE;
    SELECT coalesce((SELECT l.value FROM tenant_limits l
                     WHERE l.tenant_id = tenant AND l.name = 'tenant_storage_bytes'), setting) INTO allowed;
    held := used - coalesce((SELECT o.size_bytes FROM stored_objects o
                             WHERE o.tenant_id = tenant AND o.object_key = key), 0) + bytes <= allowed;
    IF held THEN
        INSERT INTO stored_objects AS o (tenant_id, object_key, size_bytes) VALUES (tenant, key, bytes)
        ON CONFLICT (tenant_id, object_key) DO UPDATE
        SET size_bytes = excluded.size_bytes, is_needed = false, created_at = headrace_clock();
    END IF;
    RETURN NEXT;
END
$body$;

REVOKE ALL ON FUNCTION headrace_hold_storage(uuid, text, bigint, double precision) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION headrace_hold_storage(uuid, text, bigint, double precision) TO headrace_pipeline;
"""

DOWN = """
DROP FUNCTION headrace_hold_storage(uuid, text, bigint, double precision);

DROP TABLE stored_objects, tenant_storage;

DROP FUNCTION headrace_count_storage();
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
