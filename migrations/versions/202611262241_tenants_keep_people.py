"""tenants keep people.

A customer keeps the people they book for; such a participant is the same row in every booking.

Revision: people_own, after 0051.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "people_own"
down_revision = "0051"
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
