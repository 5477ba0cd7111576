"""billing remember how a hold is to end.

Who ends a hold closes its payment page first; the news of that may be applied before they come
back, and ends the order then as they wanted.

Revision: m1, after 0040.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "m1"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("orders", sa.Column("wanted_end", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("orders", "wanted_end")
