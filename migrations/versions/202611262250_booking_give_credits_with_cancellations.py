"""booking give credits with cancellations.

A cancellation may give credits instead of money, and take back those that its purchase brought.

Revision: refundpol, after 0051.
"""

from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE cancellation_returns"
        " ADD COLUMN credited_ids uuid[] NOT NULL DEFAULT '{}'::uuid[],"
        " ADD COLUMN package jsonb NOT NULL DEFAULT '{}'::jsonb"
    )
    op.execute("ALTER TABLE cancellations ADD COLUMN revokes_credits bool NOT NULL DEFAULT false")


def downgrade() -> None:
    op.execute("ALTER TABLE cancellations DROP COLUMN revokes_credits")
    op.execute("ALTER TABLE cancellation_returns DROP COLUMN credited_ids, DROP COLUMN package")
