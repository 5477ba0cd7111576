"""billing remember how a hold is to end.

Who ends a hold closes its payment page first; the news of that may be applied before they come
back, and ends the order then as they wanted.

Revision: 0044, after 0043.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("wanted_end", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("orders", "wanted_end")
