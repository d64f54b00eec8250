"""Keys under which commands count once, and the tenant's log in its order."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = r"""
CREATE TABLE idempotency_keys (
    tenant_id UUID NOT NULL,
    principal_id UUID NOT NULL,
    route TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    body_hash BYTEA,
    seed UUID NOT NULL,
    token UUID NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    status INTEGER,
    headers JSONB,
    body JSONB,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_id, principal_id, route, key_hash)
);

CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

SELECT headrace_protect('idempotency_keys');

-- The API claims a key, and stores the answer in the transaction of what it configures.
GRANT INSERT, UPDATE, DELETE ON idempotency_keys TO headrace_api;

-- A tenant reads its log in order; without this a small tenant would read everybody's to find its own.
CREATE INDEX events_tenant ON events (tenant_id, seq);
"""

DOWN = """
DROP INDEX events_tenant;

DROP TABLE idempotency_keys;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
