"""Turns between the tenants whose messages are replayed, for each consumer's lane."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = """
CREATE TABLE replay_turns (
    tenant_id UUID NOT NULL,
    consumer TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT headrace_clock() NOT NULL,
    CONSTRAINT replay_turns_pkey PRIMARY KEY (tenant_id, consumer)
);

-- From tenant to tenant, and of each the one that waits longest.
CREATE INDEX replays_of_tenant ON replays (tenant_id, due_at, id) WHERE state = 'running';

SELECT headrace_protect('replay_turns');
"""

DOWN = """
DROP TABLE replay_turns;

DROP INDEX replays_of_tenant;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
