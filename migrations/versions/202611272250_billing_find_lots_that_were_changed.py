"""billing find lots that were changed.

What customers have left is told apart into paid and added credits only where staff, or a refund,
has changed the number: an index finds those lots.

Revision: 0094, after 0093.
"""

import sqlalchemy as sa
from alembic import op

revision = "0094"
down_revision = "0093"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_credit_entries_beside_seats",
        "credit_entries",
        ["tenant_id", "lot_id"],
        postgresql_where=sa.text("kind IN ('adjust', 'refund')"),
    )


def downgrade() -> None:
    op.drop_index("ix_credit_entries_beside_seats", "credit_entries")
