"""booking add calendar feeds.

Secret addresses that calendar programs follow.

Revision: 0016, after 0015.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MOMENT = postgresql.TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_read_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('booking', 'own', 'business')", name=op.f("ck_calendar_feeds_kind")
        ),
        sa.CheckConstraint(
            "(kind = 'booking') = (order_id IS NOT NULL)", name=op.f("ck_calendar_feeds_order")
        ),
        sa.CheckConstraint(
            "(kind = 'booking') = (user_id IS NULL)", name=op.f("ck_calendar_feeds_user")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["orders.tenant_id", "orders.id"],
            name=op.f("fk_calendar_feeds_tenant_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_calendar_feeds")),
    )
    op.create_index(
        "uq_calendar_feeds_of_order",
        "calendar_feeds",
        ["tenant_id", "order_id"],
        unique=True,
        postgresql_where=sa.text("order_id IS NOT NULL AND revoked_at IS NULL"),
    )
    op.create_index(
        "uq_calendar_feeds_of_user",
        "calendar_feeds",
        ["tenant_id", "user_id", "kind"],
        unique=True,
        postgresql_where=sa.text("user_id IS NOT NULL AND revoked_at IS NULL"),
    )
    protect("calendar_feeds")


def downgrade() -> None:
    op.drop_table("calendar_feeds")
