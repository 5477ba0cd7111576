"""tenants keep people.

A customer keeps the people they book for; such a participant is the same row in every booking.

Revision: 0053, after 0052.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "participants",
        sa.Column("note", sa.Text(), server_default=sa.text("''"), nullable=False),
    )
    op.add_column(
        "participants",
        sa.Column("kept_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
    )


def downgrade() -> None:
    op.drop_column("participants", "kept_at")
    op.drop_column("participants", "note")
