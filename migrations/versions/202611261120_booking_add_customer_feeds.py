"""booking add customer feeds.

A calendar that follows all dates of one customer, under a secret address as the others.

Revision: 0029, after 0028.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLE = "calendar_feeds"
INDEX = "uq_calendar_feeds_of_customer"
FOREIGN_KEY = "fk_calendar_feeds_tenant_id_customer_id"
KIND, USER, CUSTOMER = (f"ck_calendar_feeds_{name}" for name in ("kind", "user", "customer"))


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("customer_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f(FOREIGN_KEY), TABLE, "customers", ["tenant_id", "customer_id"], ["tenant_id", "id"]
    )
    op.drop_constraint(op.f(KIND), TABLE)
    op.drop_constraint(op.f(USER), TABLE)
    op.create_check_constraint(
        op.f(KIND), TABLE, "kind IN ('booking', 'customer', 'own', 'business')"
    )
    op.create_check_constraint(
        op.f(USER), TABLE, "(kind IN ('own', 'business')) = (user_id IS NOT NULL)"
    )
    op.create_check_constraint(
        op.f(CUSTOMER), TABLE, "(kind = 'customer') = (customer_id IS NOT NULL)"
    )
    op.create_index(
        INDEX,
        TABLE,
        ["tenant_id", "customer_id"],
        unique=True,
        postgresql_where=sa.text("customer_id IS NOT NULL AND revoked_at IS NULL"),
    )


def downgrade() -> None:
    """Programs that follow a customer's dates get nothing any more: no older kind stands for it."""
    op.execute("DELETE FROM calendar_feeds WHERE kind = 'customer'")
    op.drop_index(INDEX, TABLE)
    op.drop_constraint(op.f(CUSTOMER), TABLE)
    op.drop_constraint(op.f(USER), TABLE)
    op.drop_constraint(op.f(KIND), TABLE)
    op.create_check_constraint(op.f(KIND), TABLE, "kind IN ('booking', 'own', 'business')")
    op.create_check_constraint(op.f(USER), TABLE, "(kind = 'booking') = (user_id IS NULL)")
    op.drop_constraint(op.f(FOREIGN_KEY), TABLE)
    op.drop_column(TABLE, "customer_id")
