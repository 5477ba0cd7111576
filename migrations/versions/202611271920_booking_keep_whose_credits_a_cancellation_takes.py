"""booking keep whose credits a cancellation takes.

Unspent credits are taken back only from the orders for which their worth goes back as money. Those
that are under way take what they were asked to.

Revision: 0092, after 0074.
"""

from alembic import op

revision = "0092"
down_revision = "0074"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE cancellation_returns ADD COLUMN takes_credits bool NOT NULL DEFAULT false"
    )
    op.execute(
        "UPDATE cancellation_returns SET takes_credits = true FROM cancellations"
        " WHERE cancellations.tenant_id = cancellation_returns.tenant_id"
        " AND cancellations.id = cancellation_returns.cancellation_id"
        " AND cancellations.revokes_credits AND cancellations.state IN ('waiting', 'running')"
        " AND cancellation_returns.chosen_minor > 0"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE cancellation_returns DROP COLUMN takes_credits")
