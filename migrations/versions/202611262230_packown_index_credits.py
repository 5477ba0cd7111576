"""billing index credits.

What the owner's screen asks of credits: lots by their state in order of purchase, what was sold and
redeemed this month, the refund that took credits along, and the lots of a package.

Revision: 0051, after 0050.
"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_credit_lots_left",
        "credit_lots",
        ["tenant_id", "created_at", "id"],
        postgresql_where=sa.text("state = 'active' AND balance > 0"),
    )
    op.create_index(
        "ix_credit_lots_ends",
        "credit_lots",
        ["tenant_id", sa.text("coalesce(expires_at, 'infinity'::timestamptz)"), "id"],
        postgresql_where=sa.text("state = 'active' AND balance > 0"),
    )
    op.create_index(
        "ix_credit_lots_empty",
        "credit_lots",
        ["tenant_id", "created_at", "id"],
        postgresql_where=sa.text("state = 'active' AND balance = 0"),
    )
    op.create_index(
        "ix_credit_lots_pending",
        "credit_lots",
        ["tenant_id", "created_at", "id"],
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "ix_credit_lots_activated",
        "credit_lots",
        ["tenant_id", "activated_at"],
        postgresql_where=sa.text("activated_at IS NOT NULL AND source = 'package'"),
    )
    op.create_index(
        "ix_credit_lots_package",
        "credit_lots",
        ["tenant_id", "package_id", "created_at", "id"],
        postgresql_where=sa.text("package_id IS NOT NULL"),
    )
    op.create_index(
        "ix_credit_entries_used",
        "credit_entries",
        ["tenant_id", "at", "id"],
        postgresql_include=["credits"],
        postgresql_where=sa.text("seat_id IS NOT NULL"),
    )
    op.create_index(
        "ix_credit_entries_refund",
        "credit_entries",
        ["tenant_id", "refund_id"],
        postgresql_where=sa.text("refund_id IS NOT NULL"),
    )


def downgrade() -> None:
    for table, name in (
        ("credit_entries", "ix_credit_entries_refund"),
        ("credit_entries", "ix_credit_entries_used"),
        ("credit_lots", "ix_credit_lots_package"),
        ("credit_lots", "ix_credit_lots_activated"),
        ("credit_lots", "ix_credit_lots_pending"),
        ("credit_lots", "ix_credit_lots_empty"),
        ("credit_lots", "ix_credit_lots_ends"),
        ("credit_lots", "ix_credit_lots_left"),
    ):
        op.drop_index(name, table)
