"""billing say who may use credits.

A lot may be for certain people of its customer only; without any it is for everyone.

Revision: 0058, after 0057.
"""

from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE credit_lots ADD COLUMN users jsonb NOT NULL DEFAULT '[]'::jsonb")


def downgrade() -> None:
    op.execute("ALTER TABLE credit_lots DROP COLUMN users")
