"""booking hand places on.

A place may be handed on to somebody else, who is written to; who had it, and the entry in that
one's calendar, are kept until it is taken away.

Revision: 0048, after 0047.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "seats",
        sa.Column("is_handed_on", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_table(
        "handings_on",
        sa.Column("seat_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("participant_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("was", sa.Text(), nullable=False),
        sa.Column("was_calendar_id", sa.Uuid(), nullable=False),
        sa.Column("was_sequence", sa.Integer(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("told_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("by IN ('guest', 'staff')", name=op.f("ck_handings_on_by")),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", f"{of}_id"],
                [f"{of}s.tenant_id", f"{of}s.id"],
                name=op.f(f"fk_handings_on_tenant_id_{of}_id"),
            )
            for of in ("seat", "order", "participant")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_handings_on")),
    )
    op.create_index("ix_handings_on_seat", "handings_on", ["tenant_id", "seat_id"])
    op.create_index("ix_handings_on_order", "handings_on", ["tenant_id", "order_id"])
    op.create_index(
        "ix_handings_on_address", "handings_on", ["tenant_id", sa.text("lower(address)")]
    )
    protect("handings_on")


def downgrade() -> None:
    op.drop_table("handings_on")
    op.drop_column("seats", "is_handed_on")
