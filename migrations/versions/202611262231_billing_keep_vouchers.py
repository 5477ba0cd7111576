"""billing keep vouchers.

Gift vouchers with a ledger of their own, how a business sells them, and what of an order's price
one pays: a payment like any other, which goes back to the voucher that it came from.

Revision: 0049, after 0048.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import narrow, protect

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def ids(*names: str, nullable: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Uuid(), nullable=nullable) for name in names]


def within(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{other}.tenant_id", f"{other}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
    )


def upgrade() -> None:
    op.add_column(
        "orders",
        sa.Column("voucher_minor", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_orders_voucher"), "orders", "voucher_minor BETWEEN 0 AND total_minor"
    )
    make_settings()
    make_vouchers()
    for table in ("payments", "refunds"):
        op.add_column(table, sa.Column("voucher_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_tenant_id_voucher_id"),
            table,
            "vouchers",
            ["tenant_id", "voucher_id"],
            ["tenant_id", "id"],
        )
    op.create_check_constraint(
        op.f("ck_payments_voucher"), "payments", "(method = 'voucher') = (voucher_id IS NOT NULL)"
    )
    make_entries()
    protect("voucher_settings", "vouchers", "voucher_entries")
    narrow("voucher_entries", "SELECT, INSERT, UPDATE (reason)")


def make_settings() -> None:
    op.create_table(
        "voucher_settings",
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("amounts_minor", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("least_minor", sa.Integer(), nullable=True),
        sa.Column("most_minor", sa.Integer(), nullable=True),
        number("valid_months"),
        sa.Column("to_year_end", sa.Boolean(), nullable=False),
        text("words"),
        moment("updated_at"),
        *ids("tenant_id", "id"),
        sa.CheckConstraint(
            "(least_minor IS NULL) = (most_minor IS NULL)"
            " AND least_minor > 0 AND most_minor >= least_minor",
            name=op.f("ck_voucher_settings_free_amount"),
        ),
        sa.CheckConstraint("valid_months >= 0", name=op.f("ck_voucher_settings_validity")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_voucher_settings")),
        sa.UniqueConstraint("tenant_id", name="uq_voucher_settings_tenant"),
    )


def make_vouchers() -> None:
    op.create_table(
        "vouchers",
        text("code"),
        text("state"),
        text("source"),
        text("currency"),
        number("initial_minor"),
        number("balance_minor"),
        moment("expires_at", nullable=True),
        *ids("order_id", nullable=True),
        *ids("customer_id"),
        text("recipient_name"),
        text("recipient_email"),
        text("message"),
        text("locale"),
        sa.Column("send_on", sa.Date(), nullable=True),
        number("times_asked"),
        moment("sent_at", nullable=True),
        moment("created_at"),
        moment("activated_at", nullable=True),
        *ids("tenant_id", "id"),
        sa.CheckConstraint("code = upper(code) AND code <> ''", name=op.f("ck_vouchers_code")),
        sa.CheckConstraint(
            "state IN ('pending', 'active', 'blocked')", name=op.f("ck_vouchers_state")
        ),
        sa.CheckConstraint(
            "source IN ('sold', 'refund', 'staff')", name=op.f("ck_vouchers_source")
        ),
        sa.CheckConstraint(
            "initial_minor > 0 AND balance_minor >= 0", name=op.f("ck_vouchers_money")
        ),
        within("vouchers", "order_id", "orders"),
        within("vouchers", "customer_id", "customers"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("tenant_id", "code", name="uq_vouchers_code"),
    )
    op.create_index("ix_vouchers_order", "vouchers", ["tenant_id", "order_id"])
    op.create_index("ix_vouchers_customer", "vouchers", ["tenant_id", "customer_id"])
    op.create_index("ix_vouchers_created_at", "vouchers", ["tenant_id", "created_at"])


def make_entries() -> None:
    op.create_table(
        "voucher_entries",
        *ids("voucher_id"),
        text("kind"),
        number("amount_minor"),
        *ids("order_id", "refund_id", nullable=True),
        *ids("actor_id", nullable=True),
        text("actor_name"),
        text("reason"),
        moment("at"),
        *ids("tenant_id", "id"),
        sa.CheckConstraint(
            "kind IN ('grant', 'spend', 'give_back', 'adjust', 'expire', 'refund')",
            name=op.f("ck_voucher_entries_kind"),
        ),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_voucher_entries_amount")),
        within("voucher_entries", "voucher_id", "vouchers"),
        within("voucher_entries", "order_id", "orders"),
        within("voucher_entries", "refund_id", "refunds"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_voucher_entries")),
    )
    op.create_index("ix_voucher_entries_voucher", "voucher_entries", ["tenant_id", "voucher_id"])
    op.create_index("ix_voucher_entries_order", "voucher_entries", ["tenant_id", "order_id"])
    op.create_index(
        "uq_voucher_entries_grant",
        "voucher_entries",
        ["tenant_id", "voucher_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'grant'"),
    )
    op.create_index(
        "uq_voucher_entries_refund",
        "voucher_entries",
        ["tenant_id", "refund_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'give_back'"),
    )


def downgrade() -> None:
    op.drop_table("voucher_entries")
    op.drop_constraint(op.f("ck_payments_voucher"), "payments")
    for table in ("refunds", "payments"):
        op.drop_constraint(op.f(f"fk_{table}_tenant_id_voucher_id"), table)
        op.drop_column(table, "voucher_id")
    op.drop_table("vouchers")
    op.drop_table("voucher_settings")
    op.drop_constraint(op.f("ck_orders_voucher"), "orders")
    op.drop_column("orders", "voucher_minor")
