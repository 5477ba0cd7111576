"""booking keep leaving terms.

What a guest gets back for a date they leave is set on services and series, kept with each booking
as it was bought, and written down on each seat once it was given.

Revision: 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEPT_ON = ("services", "series", "bookings")


def upgrade() -> None:
    for table in KEPT_ON:
        op.add_column(
            table,
            sa.Column(
                "leaving", postgresql.JSONB(), nullable=False, server_default=sa.text("'{}'")
            ),
        )
        op.alter_column(table, "leaving", server_default=None)
    op.add_column("seats", sa.Column("returned_as", sa.Text(), nullable=True))
    op.add_column(
        "seats",
        sa.Column("returned_minor", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    op.alter_column("seats", "returned_minor", server_default=None)
    op.create_check_constraint(
        op.f("ck_seats_returned"),
        "seats",
        "returned_minor >= 0 AND returned_minor <= share_minor"
        " AND (returned_as IS NULL OR returned_as IN ('money', 'credit', 'seat'))",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_seats_returned"), "seats")
    op.drop_column("seats", "returned_minor")
    op.drop_column("seats", "returned_as")
    for table in KEPT_ON:
        op.drop_column(table, "leaving")
