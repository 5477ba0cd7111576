"""billing keep coupons.

Coupons, the orders they were used in, and how often each customer has used each.

Revision: 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "coupons",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("amount_minor", sa.Integer(), nullable=True),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("min_spend_minor", sa.Integer(), nullable=False),
        sa.Column("max_uses", sa.Integer(), nullable=True),
        sa.Column("max_per_customer", sa.Integer(), nullable=True),
        sa.Column("first_order_only", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        moment("created_at"),
        moment("updated_at"),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("code = upper(code) AND code <> ''", name=op.f("ck_coupons_code")),
        sa.CheckConstraint(
            "(percent IS NULL) <> (amount_minor IS NULL)",
            name=op.f("ck_coupons_percent_or_amount"),
        ),
        sa.CheckConstraint("percent BETWEEN 1 AND 100", name=op.f("ck_coupons_percent")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_coupons_amount")),
        sa.CheckConstraint("scope IN ('all', 'services', 'series')", name=op.f("ck_coupons_scope")),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_coupons_window")),
        sa.CheckConstraint("min_spend_minor >= 0", name=op.f("ck_coupons_min_spend")),
        sa.CheckConstraint("max_uses > 0 AND max_per_customer > 0", name=op.f("ck_coupons_limits")),
        sa.CheckConstraint("used >= 0", name=op.f("ck_coupons_used")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_coupons")),
        sa.UniqueConstraint("tenant_id", "code", name="uq_coupons_code"),
    )
    op.create_table(
        "coupon_uses",
        sa.Column("coupon_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("discount_minor", sa.Integer(), nullable=False),
        sa.Column("is_first", sa.Boolean(), nullable=False),
        moment("created_at"),
        moment("returned_at", nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("discount_minor > 0", name=op.f("ck_coupon_uses_discount")),
        *owners("coupon_uses", "orders", "customers"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_coupon_uses")),
        sa.UniqueConstraint("tenant_id", "order_id", name="uq_coupon_uses_order"),
    )
    op.create_index(
        "uq_coupon_uses_first",
        "coupon_uses",
        ["tenant_id", "customer_id"],
        unique=True,
        postgresql_where=sa.text("is_first AND returned_at IS NULL"),
    )
    op.create_index("ix_coupon_uses_coupon", "coupon_uses", ["tenant_id", "coupon_id"])
    op.create_table(
        "coupon_customers",
        sa.Column("coupon_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_coupon_customers_used")),
        *owners("coupon_customers", "customers"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_coupon_customers")),
        sa.UniqueConstraint(
            "tenant_id", "coupon_id", "customer_id", name="uq_coupon_customers_pair"
        ),
    )
    protect("coupons", "coupon_uses", "coupon_customers")


def owners(table: str, *others: str) -> list[sa.ForeignKeyConstraint]:
    """Keys into the coupon's row and into others, none of which can cross tenants."""
    coupon = sa.ForeignKeyConstraint(
        ["tenant_id", "coupon_id"],
        ["coupons.tenant_id", "coupons.id"],
        name=f"fk_{table}_coupon",
    )
    return [coupon] + [
        sa.ForeignKeyConstraint(
            ["tenant_id", f"{other[:-1]}_id"],
            [f"{other}.tenant_id", f"{other}.id"],
            name=op.f(f"fk_{table}_tenant_id_{other[:-1]}_id"),
        )
        for other in others
    ]


def downgrade() -> None:
    op.drop_table("coupon_customers")
    op.drop_index("ix_coupon_uses_coupon", table_name="coupon_uses")
    op.drop_index("uq_coupon_uses_first", table_name="coupon_uses")
    op.drop_table("coupon_uses")
    op.drop_table("coupons")
