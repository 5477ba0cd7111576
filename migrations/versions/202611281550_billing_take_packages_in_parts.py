"""billing take packages in parts.

A package may be paid in parts: the first with the order, the others later, each a row that is paid
once at most. A payment page may be for some of them.

Revision: 0102, after 0101.
"""

import sqlalchemy as sa
from alembic import op

from migrations.policies import protect

revision = "0102"
down_revision = "0101"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE packages ADD COLUMN parts integer NOT NULL DEFAULT 0,"
        " ADD COLUMN parts_every integer NOT NULL DEFAULT 1,"
        " ADD COLUMN parts_unit text NOT NULL DEFAULT 'month',"
        " ADD CONSTRAINT ck_packages_parts CHECK ((parts = 0 OR parts BETWEEN 2 AND 24)"
        " AND parts_every > 0 AND parts_unit IN ('week', 'month'))"
    )
    op.execute(
        "ALTER TABLE orders ADD COLUMN later_minor integer NOT NULL DEFAULT 0,"
        " ADD CONSTRAINT ck_orders_later"
        " CHECK (later_minor >= 0 AND later_minor <= total_minor - voucher_minor)"
    )
    op.execute("ALTER TABLE payment_pages ADD COLUMN parts jsonb")
    _instalments()
    protect("instalments")


def downgrade() -> None:
    """What was paid stays as payments of the orders; what was still to come is asked no more."""
    op.execute("DELETE FROM due WHERE kind = 'part'")
    op.execute("DELETE FROM open_items WHERE kind = 'part_overdue'")
    op.drop_table("instalments")
    op.execute("ALTER TABLE payment_pages DROP COLUMN parts")
    op.execute("ALTER TABLE orders DROP COLUMN later_minor")
    op.execute(
        "ALTER TABLE packages DROP COLUMN parts, DROP COLUMN parts_every, DROP COLUMN parts_unit"
    )


def _instalments() -> None:
    op.create_table(
        "instalments",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("minor", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("page_id", sa.Uuid(), nullable=True),
        sa.Column("card_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('due', 'paid', 'overdue', 'waived', 'void')",
            name=op.f("ck_instalments_state"),
        ),
        sa.CheckConstraint(
            "(state = 'paid') = (payment_id IS NOT NULL)", name=op.f("ck_instalments_paid")
        ),
        sa.CheckConstraint(
            "minor > 0 AND number > 0 AND attempts >= 0", name=op.f("ck_instalments_numbers")
        ),
        _belongs("order_id", "orders"),
        _belongs("page_id", "payment_pages"),
        _belongs("card_id", "saved_cards"),
        _belongs("payment_id", "payments"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_instalments")),
        sa.UniqueConstraint("tenant_id", "order_id", "number", name="uq_instalments_number"),
    )
    op.create_index(
        "ix_instalments_card",
        "instalments",
        ["tenant_id", "card_id"],
        postgresql_where=sa.text("card_id IS NOT NULL"),
    )


def _belongs(column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{other}.tenant_id", f"{other}.id"],
        name=op.f(f"fk_instalments_tenant_id_{column}"),
    )
