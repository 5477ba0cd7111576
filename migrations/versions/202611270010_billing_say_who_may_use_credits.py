"""billing say who may use credits.

A lot may be for certain people of its customer only; without any it is for everyone.

Revision: lotpeople, after 0055.
"""

from alembic import op

revision = "lotpeople"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE credit_lots ADD COLUMN users jsonb NOT NULL DEFAULT '[]'::jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE credit_lots DROP COLUMN users")
