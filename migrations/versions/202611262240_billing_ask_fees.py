"""billing ask fees.

A fee is asked of who left late or did not come, where the terms say so.

Revision: 0050, after 0049.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, postgresql.TIMESTAMP(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "fees",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        moment("starts_at"),
        sa.Column("why", sa.Text(), nullable=False),
        moment("at"),
        sa.Column("by", sa.Text(), nullable=False),
        moment("chargeable_at"),
        moment("told_at", nullable=True),
        moment("decided_at", nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("pays_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('no_show', 'late_cancel')", name=op.f("ck_fees_kind")),
        sa.CheckConstraint(
            "state IN ('asked', 'paid', 'forgiven', 'dropped')", name=op.f("ck_fees_state")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_fees_amount")),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", column],
                [f"{table}.tenant_id", f"{table}.id"],
                name=op.f(f"fk_fees_tenant_id_{column}"),
            )
            for column, table in (
                ("customer_id", "customers"),
                ("order_id", "orders"),
                ("pays_id", "orders"),
            )
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_fees")),
        sa.UniqueConstraint("tenant_id", "subject_id", name="uq_fees_subject"),
    )
    op.create_index("ix_fees_customer", "fees", ["tenant_id", "customer_id"])
    op.create_index("ix_fees_order", "fees", ["tenant_id", "order_id"])
    op.create_index(
        "ix_fees_pays",
        "fees",
        ["tenant_id", "pays_id"],
        postgresql_where=sa.text("pays_id IS NOT NULL"),
    )
    op.create_index("ix_fees_at", "fees", ["tenant_id", "at"])
    protect("fees")


def downgrade() -> None:
    op.drop_table("fees")
