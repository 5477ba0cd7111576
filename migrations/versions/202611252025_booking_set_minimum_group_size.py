"""booking set a minimum group size.

A session may need a number of people to take place, and a time at which that is decided; a
cancellation says whether what was paid goes back with it. A session that was edited on its own is
marked, so that an edit of several leaves it alone.

Revision: 0020, after 0019.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("min_seats", sa.Integer(), nullable=True))
    op.add_column("sessions", sa.Column("decide_hours", sa.Integer(), nullable=True))
    op.add_column(
        "sessions", sa.Column("decision_asked_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("sessions", sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sessions", sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_sessions_minimum"),
        "sessions",
        "(min_seats IS NULL) = (decide_hours IS NULL) AND min_seats > 0 AND decide_hours > 0",
    )
    op.add_column(
        "cancellations",
        sa.Column("gives_back", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
    op.alter_column("cancellations", "gives_back", server_default=None)


def downgrade() -> None:
    op.drop_column("cancellations", "gives_back")
    op.drop_constraint(op.f("ck_sessions_minimum"), "sessions")
    for column in ("edited_at", "decided_at", "decision_asked_at", "decide_hours", "min_seats"):
        op.drop_column("sessions", column)
