"""booking index what a session sold.

Freeing a cancelled session's seats and showing its roster look for rows by session.

Revision: 0007, after 0006.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_bookings_session", "bookings", ["tenant_id", "session_id"])
    op.create_index("ix_seats_session", "seats", ["tenant_id", "session_id"])


def downgrade() -> None:
    op.drop_index("ix_seats_session", table_name="seats")
    op.drop_index("ix_bookings_session", table_name="bookings")
