"""booking let guests help themselves.

A seat may take the place of another one, once, and keeps its entry in its guest's calendar; who
wants to leave a course that they may not leave by themselves asks for it.

Revision: 0018, after 0017.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("seats", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.add_column("seats", sa.Column("calendar_id", sa.Uuid(), nullable=True))
    op.add_column(
        "seats",
        sa.Column("most_percent", sa.Integer(), nullable=False, server_default=sa.text("100")),
    )
    op.create_check_constraint(
        op.f("ck_seats_most_percent"), "seats", "most_percent BETWEEN 0 AND 100"
    )
    op.create_foreign_key(
        op.f("fk_seats_tenant_id_replaces_id"),
        "seats",
        "seats",
        ["tenant_id", "replaces_id"],
        ["tenant_id", "id"],
    )
    op.create_unique_constraint("uq_seats_replaces", "seats", ["tenant_id", "replaces_id"])
    op.create_table(
        "leave_requests",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'declined')", name=op.f("ck_leave_requests_state")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL)", name=op.f("ck_leave_requests_decided")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "booking_id"],
            ["bookings.tenant_id", "bookings.id"],
            name=op.f("fk_leave_requests_tenant_id_booking_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_leave_requests")),
    )
    op.create_index(
        "uq_leave_requests_open",
        "leave_requests",
        ["tenant_id", "booking_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    protect("leave_requests")


def downgrade() -> None:
    op.drop_table("leave_requests")
    op.drop_constraint("uq_seats_replaces", "seats")
    op.drop_constraint(op.f("fk_seats_tenant_id_replaces_id"), "seats")
    op.drop_constraint(op.f("ck_seats_most_percent"), "seats")
    for column in ("most_percent", "calendar_id", "replaces_id"):
        op.drop_column("seats", column)
