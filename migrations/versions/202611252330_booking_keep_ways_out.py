"""booking keep ways out.

A seat that took another one's place says whether its guest has heard of that, so that the mail of
the next exchange starts from what they know, and whether it may be given back without a charge.

Revision: 0024, after 0023.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "seats",
        sa.Column("is_known", sa.Boolean(), server_default=sa.text("true"), nullable=False),
    )
    op.add_column(
        "seats",
        sa.Column("may_leave_free", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("seats", "may_leave_free")
    op.drop_column("seats", "is_known")
