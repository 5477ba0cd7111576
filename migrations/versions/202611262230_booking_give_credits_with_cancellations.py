"""booking: Give credits with cancellations."""

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


def downgrade() -> None:
    op.execute("ALTER TABLE cancellation_returns DROP COLUMN credited_ids, DROP COLUMN package")
