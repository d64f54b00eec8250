"""How many dead letters are open, by consumer and class, without reading them."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

UP = """
CREATE INDEX dead_letters_open ON dead_letters (consumer, error_class, created_at)
    WHERE state IN ('parked', 'replaying');
"""

DOWN = """
DROP INDEX dead_letters_open;
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UP.strip())


def downgrade() -> None:
    op.get_bind().exec_driver_sql(DOWN.strip())
