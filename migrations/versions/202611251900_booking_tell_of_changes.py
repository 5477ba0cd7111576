"""booking tell of changes.

What a session was before each change that its guests must hear of, and of which state of it each
seat's guest has heard. Seats sold before this count as told: nobody is written to about the past.

Revision: 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.policies import protect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "sessions",
        sa.Column("moved_sequence", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    for name in ("sold_sequence", "told_sequence"):
        op.add_column(
            "seats", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False)
        )
    op.execute(
        "UPDATE seats SET sold_sequence = sessions.sequence, told_sequence = sessions.sequence"
        " FROM sessions WHERE sessions.tenant_id = seats.tenant_id"
        " AND sessions.id = seats.session_id AND sessions.sequence > 0"
    )
    op.create_table(
        "session_changes",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("action_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("meeting_url", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("sequence > 0", name=op.f("ck_session_changes_sequence")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["sessions.tenant_id", "sessions.id"],
            name=op.f("fk_session_changes_tenant_id_session_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_session_changes")),
        sa.UniqueConstraint(
            "tenant_id", "session_id", "sequence", name="uq_session_changes_sequence"
        ),
    )
    op.create_index("ix_session_changes_action", "session_changes", ["tenant_id", "action_id"])
    protect("session_changes")


def downgrade() -> None:
    op.drop_table("session_changes")
    op.drop_column("seats", "told_sequence")
    op.drop_column("seats", "sold_sequence")
    op.drop_column("sessions", "moved_sequence")
