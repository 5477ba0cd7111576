"""booking cancel as voucher.

Whoever cancels may choose that what goes back is a voucher for each guest.

Revision: 0052, after 0051.
"""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "cancellations",
        sa.Column("as_voucher", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("cancellations", "as_voucher")
