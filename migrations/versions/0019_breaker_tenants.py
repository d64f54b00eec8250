"""Whose failures the breaker of a consumer remembers, and which tenants were seen to be well."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# One statement a paragraph: the driver takes one at a time.
UP = """
ALTER TABLE consumer_breakers ADD COLUMN tenants JSONB DEFAULT '{}'::jsonb NOT NULL;
"""

DOWN = """
ALTER TABLE consumer_breakers DROP COLUMN tenants;
"""


def upgrade() -> None:
    for statement in UP.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    for statement in DOWN.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
